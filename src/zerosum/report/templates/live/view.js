// What is drawn of it.
const byId = id => document.getElementById(id);
const PALETTE = ["accent", "run1", "run2", "run3", "run4", "run5"];
const MOST_CHOSEN = 6;

const shownRuns = () => ordered().filter(run => run.key === focused || !hidden.has(run.key));
const colourOf = run => `var(--${PALETTE[ordered().indexOf(run) % PALETTE.length]})`;

function figure(host, title, lines, caption, options) {
  if (!host.firstChild) host.append(element("div", { class: "top" }, element("h3")), element("div", { class: "plot" }), element("div", { class: "names" }), element("figcaption"));
  host.querySelector("h3").textContent = title;
  lineChart(host.querySelector(".plot"), { lines, words: `${title}. ${caption.replaceAll(/<[^>]*>/g, "")}`, ...options });
  host.querySelector(".names").replaceChildren(legend(lines));
  const words = host.querySelector("figcaption");
  if (words.dataset.said !== caption) { words.dataset.said = caption; words.replaceChildren(...emphasised(caption)); }
}

// "plain <b>bold</b> plain" as nodes; nothing else is read as markup.
const emphasised = text => text.split(/(<b>.*?<\/b>)/).map(part => part.startsWith("<b>") ? element("b", {}, part.slice(3, -4)) : part);

function hero(run, pick) {
  const key = watchedKey(run), game = key === "value", record = at(run, frame), value = record[key], alike = shownRuns().filter(r => watchedKey(r) === key);
  const lines = alike.map(r => ({ name: r.state.name, colour: colourOf(r), points: series(r, key) }));
  const total = Math.max(...alike.map(r => Math.max(r.state.config.steps || 0, last(r).step)));
  const known = Number.isFinite(value);
  const seen = (value - EQUILIBRIUM) / 2;
  const tells = seen > 0.0005
    ? `tells real from generated so well that D_JS is at least about <b>${digits(Number(seen.toPrecision(2)))} nats</b> (in expectation)`
    : "sees no difference; fresh critics may still see one";
  const caption = !known ? "The first record is on its way." : game
    ? `At step ${grouped(record.step)}, V = <b>${minus(value.toFixed(4))}</b> on held-out events: the discriminator ${tells}. When it can only guess, V = −ln 4 = −1.3863.`
    : `At step ${grouped(record.step)}, the mean of ln p_g over held-out events is <b>${digits(value)} nats</b> in standardised units; higher is better, and minus the data’s entropy is the highest.`;
  figure(byId("hero"), game ? "Value of the game V(D, G), falling to −ln 4" : "Log-likelihood of held-out events", lines, caption, {
    height: Math.min(Math.max(window.innerWidth * 0.3, 230), 330), label: game ? "V [nats]" : "⟨ln p_g⟩ [nats]", total, cursor: frame, onPick: pick,
    marks: game ? [{ y: EQUILIBRIUM, label: "−ln 4: D can only guess" }] : [],
    second: game ? { label: "D_JS seen", of: v => (v - EQUILIBRIUM) / 2, back: d => EQUILIBRIUM + 2 * d } : null,
  });
  byId("hero").dataset.points = lines.reduce((sum, line) => sum + line.points.length, 0);
}

function judged(run, pick) {
  const lines = shownRuns().map(r => ({
    name: r.state.name, colour: colourOf(r), dots: true,
    points: r.records.filter(x => Number.isFinite(x.js_estimate)).map(x => [x.step, x.js_estimate, x.js_error || 0]),
  })).filter(line => line.points.length);
  byId("judged").hidden = !lines.length;
  if (!lines.length) return;
  const mine = run.records.filter(r => Number.isFinite(r.js_estimate) && (frame === null || r.step <= frame)).at(-1);
  const caption = mine ? `Fresh critics, fitted at step ${grouped(mine.step)} and judged on held-out events, see <b>${digits(Number(mine.js_estimate.toPrecision(3)))} ± ${digits(Number((mine.js_error || 0).toPrecision(2)))} nats</b>; the truth is that or more, up to ln 2 = 0.693.` : "The generator was not judged yet at this step.";
  figure(byId("judged"), "Jensen-Shannon divergence, judged", lines, caption, {
    height: 260, label: "D_JS [nats], lower bound in expectation", total: Math.max(...shownRuns().map(r => r.state.config.steps || 0)), cursor: frame, onPick: pick, marks: [{ y: 0, label: "" }],
  });
}

function drawPlane(run, real, sample) {
  const host = byId("plane"), names = real ? real.facts.names : [];
  host.hidden = names.length < 2 || Boolean(real.images);
  if (host.hidden) return;
  const axes = run.axes ??= [names[0], names[1]];
  const pair = of => axes.map(name => columnOf(of, name)), first = pair(real), field = names.length === 2 && sample && sample.field;
  const range = (values, name) => real.facts.box && names.length === 2 ? real.facts.box[names.indexOf(name)] : (({ low, high }) => [low, high])(binning(values));
  if (!host.firstChild || host.dataset.run !== run.key) {
    host.dataset.run = run.key;
    const select = index => {
      const found = element("select", { "aria-label": `feature on axis ${index ? "y" : "x"}` }, ...names.map(name => element("option", { value: name, selected: name === axes[index] }, name)));
      found.addEventListener("change", () => { axes[index] = found.value; refresh(); });
      return found;
    };
    host.replaceChildren(
      element("div", { class: "top" }, element("h3", {}, names.length > 2 ? "Two features together" : "Generated events over the data")),
      names.length > 2 ? element("div", { class: "pick" }, element("span", {}, "x ", select(0)), element("span", {}, "y ", select(1))) : "",
      element("div", { class: "plot" }), element("p", { class: "legend" }), element("figcaption"));
  }
  plane(host.querySelector(".plot"), { box: axes.map((name, i) => range(first[i], name)), real: first, generated: sample ? pair(sample) : null, field, names: axes });
  const key = (kind, words) => [element("span", { class: `key ${kind}` }), words];
  host.querySelector(".legend").replaceChildren(...key("dot real", "real"), ...key("dot gen", "generated"), ...(field ? key("ramp", "D: generated … real") : []));
  host.querySelector("figcaption").textContent = sample ? `Step ${grouped(sample.facts.step)}.${field ? " Where the plane is blue the discriminator believes in data, where it is red in the generator; where it has no colour, D = ½." : ""}` : "";
}

function drawImages(run, real, sample) {
  const host = byId("images");
  host.hidden = !real || !real.images;
  if (host.hidden) return;
  const values = Float32Array.from(real.images.values).sort(), signed = values[0] < 0, scale = Math.max(Math.abs(quantile(values, 0.999)), 1e-30);
  host.replaceChildren(element("div", { class: "top" }, element("h3", {}, "Single events, the first ones")),
    element("p", { class: "legend" }, "real"), sprites(real, scale, signed, "six real events"),
    element("p", { class: "legend" }, sample ? `generated, step ${grouped(sample.facts.step)}` : "generated"), sample ? sprites(sample, scale, signed, "six generated events") : "");
}

function drawFeatures(run, real, sample) {
  byId("features").hidden = !real;
  if (!real) return;
  const { names, units } = real.facts;
  const wantedNames = run.chosen ??= new Set([...names.filter(name => /^(mass|m)\b/.test(name)), ...names].slice(0, MOST_CHOSEN));
  if (byId("chips").dataset.run !== run.key) {
    byId("chips").dataset.run = run.key;
    byId("chips").replaceChildren(...(names.length > 1 ? names : []).map(name => {
      const box = element("input", { type: "checkbox", checked: wantedNames.has(name) });
      box.addEventListener("change", () => { if (box.checked) wantedNames.add(name); else wantedNames.delete(name); refresh(); });
      return element("label", {}, box, name);
    }));
  }
  const host = byId("histograms"), wanted = names.filter(name => wantedNames.has(name));
  if ([...host.children].map(card => card.dataset.name).join("\n") !== wanted.join("\n") || host.dataset.run !== run.key) {
    host.dataset.run = run.key;
    host.replaceChildren(...wanted.map(name => {
      const unit = units[names.indexOf(name)], card = element("figure", { class: "card" }, element("div", { class: "top" }, element("h3", {}, unit ? `${name} [${unit}]` : name)), element("div", { class: "plot" }));
      card.dataset.name = name;
      return card;
    }));
  }
  for (const card of host.children) {
    const name = card.dataset.name;
    histogram(card.querySelector(".plot"), { name, real: columnOf(real, name), weights: real.weights && real.weights.values, generated: sample && columnOf(sample, name) });
  }
}

function drawInside(run, pick) {
  const group = (prefix, title, logarithmic) => ({ title, logarithmic, lines: keysWith(run, prefix).map(key => ({ name: key.slice(prefix.length), points: series(run, key) })) });
  const all = [group("loss_", "Losses", false), group("penalty_", "Penalties", true), group("gradient_", "Gradient norms", true), { title: "Speed [steps/s]", lines: [{ name: "steps/s", points: speeds(run) }] }];
  const wanted = all.filter(one => one.lines.some(line => line.points.length > 1)), host = byId("curves");
  byId("inside").hidden = !wanted.length;
  while (host.children.length > wanted.length) host.lastChild.remove();
  while (host.children.length < wanted.length) host.append(element("figure", { class: "card" }));
  const colours = ["accent", "generated", "run1", "run2"];
  wanted.forEach((one, i) => {
    const lines = one.lines.map((line, k) => ({ ...line, colour: `var(--${colours[k % colours.length]})` }));
    const ends = lines.map(line => [line.name, line.points.findLast(p => frame === null || p[0] <= frame)]).filter(([, p]) => p);
    figure(host.children[i], one.title, lines, ends.map(([name, p]) => `${name} <b>${digits(Number(p[1].toPrecision(3)))}</b>`).join(", "), { height: 190, label: "", logarithmic: one.logarithmic, total: run.state.config.steps, cursor: frame, onPick: pick });
  });
}

function drawRuns() {
  byId("runs").hidden = runs.size < 2;
  if (runs.size < 2) return;
  const host = byId("rows"), all = ordered(), key = all.map(run => run.key).join();
  if (host.dataset.key !== key) {
    host.dataset.key = key;
    host.replaceChildren(...all.map(run => {
      const box = element("input", { type: "checkbox", checked: !hidden.has(run.key), "aria-label": `show ${run.state.name} in the plots` });
      box.addEventListener("change", () => { if (box.checked) hidden.delete(run.key); else hidden.add(run.key); refresh(); });
      const name = element("button", { type: "button", class: "named" }, run.state.name);
      name.addEventListener("click", () => { focused = run.key; frame = null; refresh(); });
      const row = element("tr", {}, element("td", {}, box), element("th", { scope: "row", class: "name" }, name, element("span", { class: "stated" })), element("td", { class: "off" }), element("td", { class: "r" }), element("td", { class: "r" }), element("td", { class: "r" }), element("td", { class: "r off" }), element("td", { class: "off" }));
      row.dataset.run = run.key;
      return row;
    }));
  }
  for (const row of host.children) {
    const run = runs.get(row.dataset.run), judgement = run.records.findLast(r => Number.isFinite(r.js_estimate)), pace = speed(run), [, , state, step, value, js, rate, model] = row.children;
    row.className = run.key === focused ? "focus" : "";
    row.querySelector("input").style.accentColor = colourOf(run);
    row.querySelector(".named").setAttribute("aria-pressed", run.key === focused);
    state.textContent = run.state.state;
    row.querySelector(".stated").textContent = run.state.state;
    step.textContent = grouped(last(run).step);
    value.textContent = Number.isFinite(last(run).value) ? minus(last(run).value.toFixed(3)) : "";
    js.textContent = judgement ? digits(Number(judgement.js_estimate.toPrecision(3))) : "";
    rate.textContent = pace ? digits(Number(pace.toPrecision(3))) : "";
    model.textContent = run.state.config.model || "";
  }
}

function drawHeader(run) {
  const step = last(run).step, { state, config, verdict, report } = run.state, bar = byId("bar"), share = Math.min(100 * step / Math.max(config.steps || 0, step, 1), 100);
  byId("name").textContent = `Run ${run.state.name}` + (config.model ? ` · ${config.model}` : "");
  document.title = `${Math.round(share)} % · ${run.state.name} · zerosum live`;
  if (byId("state").textContent !== sentence(run)) byId("state").textContent = sentence(run);
  bar.hidden = state === "finished";
  bar.setAttribute("aria-valuenow", Math.round(share));
  bar.firstChild.style.width = share + "%";
  byId("verdict").hidden = !verdict;
  byId("verdict").textContent = verdict ? "Certificate: " + verdict.replaceAll(">=", "≥") : "";
  byId("report").hidden = !report;
  byId("report").setAttribute("href", `runs/${run.key}/report`);
  byId("stop").hidden = state !== "training" && state !== "stopping";
  byId("stop").disabled = state === "stopping" || !token;
  byId("stop").title = token ? "" : "open the address that the terminal printed, which holds the token";
  if (byId("said").dataset.run !== run.key || byId("stop").hidden) { byId("said").dataset.run = run.key; byId("said").textContent = ""; }
  const warned = run.records.flatMap(r => (r.warnings || []).map(text => [r.step, String(text)])).filter(([s]) => frame === null || s <= frame), key = `${run.key} ${warned.length} ${warned.at(-1)}`;
  byId("warnings").hidden = !warned.length;
  if (byId("warned").dataset.key !== key) {
    byId("warned").dataset.key = key;
    byId("warned").replaceChildren(...distinct(warned).slice(-8).reverse().map(([text, from, to]) => element("li", {}, `${from === to ? "step" : "steps"} ${from === to ? grouped(from) : `${grouped(from)} to ${grouped(to)}`}: ${text}`)));
  }
}

// Equal sentences in a row are told once, with the first and the last step.
function distinct(warned) {
  const found = new Map();
  for (const [step, text] of warned) { const old = found.get(text); found.delete(text); found.set(text, [text, old ? old[1] : step, step]); }
  return [...found.values()];
}

function drawReplay(run) {
  const all = frames(run), slider = byId("slider"), index = frame === null ? all.length - 1 : Math.max(all.findLastIndex(step => step <= frame), 0);
  byId("replay").hidden = all.length < 2;
  if (all.length < 2) return;
  slider.max = all.length - 1;
  if (Number(slider.value) !== index) slider.value = index;
  slider.setAttribute("aria-valuetext", `step ${all[index]}`);
  byId("shown").textContent = `step ${grouped(frame === null ? last(run).step : frame)}`;
  byId("live").setAttribute("aria-pressed", frame === null);
}
