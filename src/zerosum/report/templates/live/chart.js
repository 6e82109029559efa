// Lines against the step, as SVG. Every line is {name, colour, points: [[x, y, error?], ...], raw?}.
const SVG = "http://www.w3.org/2000/svg";

function element(tag, attributes = {}, ...children) {
  const found = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in found && key !== "list" && typeof value !== "string") found[key] = value; else found.setAttribute(key, value);
  }
  found.append(...children);
  return found;
}

function draw(tag, attributes, parent, text) {
  const found = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
  if (text !== undefined) found.textContent = text;
  parent.append(found);
  return found;
}

const minus = text => String(text).replace("-", "−");
const grouped = step => step.toLocaleString("en").replaceAll(",", "\u202f");
const shortStep = step => step >= 1e6 ? step / 1e6 + "M" : step >= 1000 ? step / 1000 + "k" : String(step);

function digits(value, places = 4) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return minus(size >= 1e5 || size < 1e-4 ? value.toExponential(Math.max(places - 3, 1)) : String(Number(value.toPrecision(places))));
}

// The numbers of an axis, with as many digits as they need to differ.
function labels(scale) {
  const shown = places => scale.map(value => digits(value, places));
  for (let places = 4; places < 12; places++) if (new Set(shown(places)).size === scale.length) return shown(places);
  return shown(12);
}

function ticks(low, high, most) {
  const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(x => x * power).find(x => x >= rough), found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) found.push(Number((i * step).toPrecision(12)));
  return found;
}

function thinned(points, most = 500) {
  if (points.length <= most) return points;
  return Array.from({ length: most }, (_, i) => {
    const part = points.slice(Math.floor(i * points.length / most), Math.floor((i + 1) * points.length / most));
    return [part.at(-1)[0], part.reduce((sum, p) => sum + p[1], 0) / part.length];
  });
}

function smoothed(points) {
  const window = Math.floor(points.length / 20);
  if (window < 3) return null;
  let sum = 0;
  return points.map((p, i) => {
    sum += p[1] - (i >= window ? points[i - window][1] : 0);
    return [p[0], sum / Math.min(i + 1, window)];
  });
}

function extent(lines, marks, logarithmic) {
  const values = lines.flatMap(line => line.points.flatMap(p => [p[1] - (p[2] || 0), p[1] + (p[2] || 0)])).concat(marks.map(m => m.y));
  const kept = values.filter(v => Number.isFinite(v) && (!logarithmic || v > 0)).map(v => logarithmic ? Math.log10(v) : v);
  if (!kept.length) return [0, 1];
  const low = kept.reduce((a, b) => Math.min(a, b)), high = kept.reduce((a, b) => Math.max(a, b));
  const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

function lineChart(host, { lines, marks = [], height = 210, label, second, logarithmic = false, cursor = null, total, onPick, words }) {
  const width = Math.max(host.clientWidth, 240), left = 58, right = second ? 58 : 12, top = 20, bottom = 26;
  lines = lines.map(line => ({ ...line, points: thinned(line.points) }));
  const [low, high] = extent(lines, marks, logarithmic), last = Math.max(total || 0, 1, ...lines.map(l => l.points.at(-1)?.[0] || 0));
  const x = step => left + (width - left - right) * step / last;
  const y = value => top + (height - top - bottom) * (high - (logarithmic ? Math.log10(value) : value)) / (high - low);
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": words || label }, document.createDocumentFragment());
  const powers = logarithmic ? ticks(low, high, 4).filter(Number.isInteger).map(t => 10 ** t) : [];
  const [from, to] = logarithmic ? [10 ** low, 10 ** high] : [low, high];
  const scale = powers.length > 1 ? powers : ticks(from, to, Math.max(3, height / 50)), names = labels(scale);
  for (const [i, tick] of scale.entries()) {
    draw("line", { class: "grid", x1: left, x2: width - right, y1: y(tick), y2: y(tick) }, svg);
    draw("text", { class: "tick", x: left - 8, y: y(tick) + 4, "text-anchor": "end" }, svg, names[i]);
  }
  for (const tick of ticks(0, last, width / 90)) draw("text", { x: x(tick), y: height - 8, "text-anchor": tick === last ? "end" : "middle" }, svg, shortStep(tick));
  draw("line", { class: "axis", x1: left, x2: width - right, y1: height - bottom, y2: height - bottom }, svg);
  draw("text", { x: 0, y: 11 }, svg, label);
  if (second) {
    draw("text", { x: width, y: 11, "text-anchor": "end" }, svg, second.label);
    const other = ticks(Math.max(second.of(low), 0), second.of(high), Math.max(3, height / 60)), words = labels(other);
    for (const [i, tick] of other.entries()) draw("text", { x: width - right + 8, y: y(second.back(tick)) + 4 }, svg, words[i]);
  }
  for (const mark of marks) {
    draw("line", { x1: left, x2: width - right, y1: y(mark.y), y2: y(mark.y), stroke: "var(--soft)", "stroke-dasharray": "5 4" }, svg);
    if (mark.label) draw("text", { class: "ink", x: width - right - 4, y: y(mark.y) - 6, "text-anchor": "end" }, svg, mark.label);
  }
  const path = points => points.filter(p => Number.isFinite(p[1]) && (!logarithmic || p[1] > 0)).map((p, i) => `${i ? "L" : "M"}${x(p[0]).toFixed(1)} ${y(p[1]).toFixed(1)}`).join("");
  const stroke = (points, colour, opacity, thick) => points.length && draw("path", { d: path(points), fill: "none", stroke: colour, "stroke-opacity": opacity, "stroke-width": thick, "stroke-linejoin": "round" }, svg);
  for (const line of lines) {
    const bold = smoothed(line.points), until = points => cursor === null ? points : points.filter(p => p[0] <= cursor);
    stroke(line.points, line.colour, cursor === null ? (bold ? 0.35 : 1) : 0.18, bold ? 1 : 1.8);
    if (cursor !== null) stroke(until(line.points), line.colour, bold ? 0.35 : 1, bold ? 1 : 1.8);
    if (bold) stroke(until(bold), line.colour, 1, 2);
    for (const [step, value, error] of line.dots ? until(line.points) : []) {
      if (error) draw("line", { x1: x(step), x2: x(step), y1: y(value - error), y2: y(value + error), stroke: line.colour, "stroke-width": 1.2 }, svg);
      draw("circle", { cx: x(step), cy: y(value), r: 3.2, fill: line.colour }, svg);
    }
    const end = until(bold || line.points).at(-1);
    if (end && !line.dots && Number.isFinite(y(end[1]))) draw("circle", { class: "end", cx: x(end[0]), cy: y(end[1]), r: 4, fill: line.colour }, svg);
  }
  if (cursor !== null) draw("line", { x1: x(cursor), x2: x(cursor), y1: top, y2: height - bottom, stroke: "var(--ink)", "stroke-width": 1 }, svg);
  pointed(svg, { lines, x, left, right: width - right, top, bottom: height - bottom, width, last, onPick });
  host.replaceChildren(svg);
}

// Under the pointer: the nearest record of each line.
function pointed(svg, { lines, x, left, right, top, bottom, width, last, onPick }) {
  const group = draw("g", { visibility: "hidden", "pointer-events": "none" }, svg);
  const rule = draw("line", { y1: top, y2: bottom, stroke: "var(--edge)" }, group), text = draw("text", { class: "ink", y: top - 3 }, group);
  const stepAt = event => {
    const box = svg.getBoundingClientRect();
    return Math.min(Math.max(((event.clientX - box.left) * width / box.width - left) / (right - left), 0), 1) * last;
  };
  svg.addEventListener("pointermove", event => {
    const step = stepAt(event), said = [];
    let at = step;
    for (const line of lines) {
      const near = line.points.reduce((best, p) => !best || Math.abs(p[0] - step) < Math.abs(best[0] - step) ? p : best, null);
      if (near) { at = near[0]; said.push((lines.length > 1 ? line.name + " " : "") + digits(near[1])); }
    }
    for (const side of ["x1", "x2"]) rule.setAttribute(side, x(at));
    text.setAttribute("x", x(at));
    text.setAttribute("text-anchor", x(at) > width * 0.6 ? "end" : x(at) < width * 0.3 ? "start" : "middle");
    text.textContent = `step ${grouped(at)}: ${said.slice(0, 4).join(", ")}`;
    group.setAttribute("visibility", said.length ? "visible" : "hidden");
  });
  svg.addEventListener("pointerleave", () => group.setAttribute("visibility", "hidden"));
  if (onPick) svg.addEventListener("click", event => onPick(stepAt(event)));
}

function legend(lines) {
  if (lines.length < 2) return "";
  const found = element("p", { class: "legend" });
  for (const line of lines) {
    const key = element("span", { class: "key line" });
    key.style.background = line.colour;
    found.append(key, line.name);
  }
  return found;
}
