// News arrive, the page is drawn; the slider, the buttons and the keys.
const token = decodeURIComponent(location.hash.slice(1));
let waiting = false, ticking = null;

function refresh() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; drawAll(); });
}

function show(step) { frame = step; refresh(); }

function drawAll() {
  const run = runs.get(focused);
  if (!run) return;
  const pick = step => { const all = frames(run); halt(); show(all.findLast(s => s <= step) ?? all[0] ?? null); };
  const real = realOf(run, refresh), sample = sampleAt(run, frame, refresh) || null;
  drawHeader(run);
  drawRuns();
  drawReplay(run);
  drawPlane(run, real, sample);
  drawImages(run, real, sample);
  drawFeatures(run, real, sample);
  hero(run, pick);
  judged(run, pick);
  drawInside(run, pick);
}

function halt() {
  clearInterval(ticking);
  ticking = null;
  byId("play").textContent = "▶";
  byId("play").setAttribute("aria-label", "Play the training from its beginning");
}

byId("play").addEventListener("click", () => {
  if (ticking) { halt(); return; }
  const run = runs.get(focused), all = frames(run);
  let place = frame === null ? 0 : all.findLastIndex(step => step <= frame) + 1;
  if (place >= all.length) place = 0;
  byId("play").textContent = "❚❚";
  byId("play").setAttribute("aria-label", "Pause");
  const next = () => { if (place < all.length) show(all[place++]); else { halt(); show(null); } };
  next();
  ticking = setInterval(next, 350);
});
byId("slider").addEventListener("input", event => {
  const all = frames(runs.get(focused)), place = Number(event.target.value);
  halt();
  show(place === all.length - 1 ? null : all[place]);
});
byId("live").addEventListener("click", () => { halt(); show(null); });
byId("stop").addEventListener("click", async () => {
  byId("stop").disabled = true;
  try {
    const answer = await fetch(`runs/${focused}/stop`, { method: "POST", headers: { "X-Zerosum-Token": token } });
    byId("said").textContent = (await answer.text()).trim();
  } catch { byId("said").textContent = "the server does not answer"; }
});

const news = new EventSource("events"), link = byId("link");
news.addEventListener("run", event => { told(JSON.parse(event.data)); refresh(); });
news.addEventListener("gone", event => { gone(JSON.parse(event.data)); refresh(); });
news.addEventListener("open", () => {
  for (const run of runs.values()) { run.records = []; run.times = new Map(); }
  link.className = "on";
  link.textContent = "connected";
});
news.addEventListener("error", () => { link.className = "lost"; link.textContent = "the server does not answer; trying again"; });
new ResizeObserver(refresh).observe(document.documentElement);
new MutationObserver(refresh).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refresh);
