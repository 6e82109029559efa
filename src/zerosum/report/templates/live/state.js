// What the server told: every run with its records, times and snapshots.
const EQUILIBRIUM = -Math.log(4);
const runs = new Map(), hidden = new Set();
let focused = null, frame = null, asked = false;  // frame: the step that is shown, null for the latest

function told({ run, anew, records, times, state }) {
  if (!runs.has(run)) runs.set(run, { key: run, records: [], times: new Map(), samples: new Map(), real: null, arrived: 0 });
  const found = runs.get(run);
  if (anew) { found.records = []; found.times = new Map(); found.samples = new Map(); }
  found.records.push(...records);
  for (const [step, seconds] of times) if (Number.isFinite(seconds)) found.times.set(step, seconds);
  found.state = state;
  if (focused === null || !runs.has(focused)) focused = run;
}

function gone(keys) {
  for (const key of keys) { runs.delete(key); hidden.delete(key); }
  if (!runs.has(focused)) focused = runs.keys().next().value ?? null;
}

const ordered = () => [...runs.values()].sort((a, b) => a.state.name.localeCompare(b.state.name, "en", { numeric: true }));
const last = run => run.records.at(-1) || { step: 0 };
const at = (run, step) => step === null ? last(run) : run.records.findLast(record => record.step <= step) || { step: 0 };
const series = (run, key) => run.records.filter(r => Number.isFinite(r[key])).map(r => [r.step, r[key]]);
const keysWith = (run, prefix) => [...new Set(run.records.flatMap(Object.keys))].filter(key => key.startsWith(prefix)).sort();
const watchedKey = run => run.records.some(r => "value" in r) ? "value" : "log_likelihood";
const frames = run => run.state.snapshots.length > 1 ? run.state.snapshots : run.records.map(r => r.step);

// Steps per second between neighbouring records; the median of the last ones is the present speed.
function speeds(run) {
  const clock = [...run.times].sort((a, b) => a[0] - b[0]);
  return clock.slice(1).map(([step, seconds], i) => [step, (step - clock[i][0]) / (seconds - clock[i][1])]).filter(p => Number.isFinite(p[1]) && p[1] > 0);
}

function speed(run) {
  const few = speeds(run).slice(-9).map(p => p[1]).sort((a, b) => a - b);
  return few.length ? few[few.length >> 1] : null;
}

function duration(seconds) {
  if (seconds < 90) return `${Math.max(Math.round(seconds), 1)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function sentence(run) {
  const { state, config } = run.state, step = last(run).step, total = Math.max(config.steps || 0, step), pace = speed(run);
  const where = `step ${grouped(step)} of ${grouped(total)}`;
  if (state === "stopping") return `Stopping and saving, ${where}`;
  if (state === "training") {
    if (!step) return "Training begins …";
    const rest = step >= total ? "" : pace ? `, about ${duration((total - step) / pace)} left` : "";
    return `Training, ${where}${pace ? `, ${digits(Number(pace.toPrecision(3)))} steps/s` : ""}${rest}`;
  }
  if (state === "finished") return last(run).stopped ? `Ended early, ${where}: ${last(run).stopped}` : `Finished after ${grouped(step)} steps`;
  return step ? `Stopped at ${where}; zerosum train --resume goes on` : "Not begun";
}

async function fetched(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return parseTensors(await answer.arrayBuffer());
}

// The snapshot at or before a step; undefined while it is on its way, null where there is none.
function sampleAt(run, step, then) {
  const found = step === null ? run.state.snapshots.at(-1) : run.state.snapshots.findLast(s => s <= step);
  if (found === undefined) return null;
  if (!run.samples.has(found)) {
    run.samples.set(found, undefined);
    fetched(`runs/${run.key}/snapshots/${found}`).then(sample => { run.samples.set(found, sample); then(); }, () => run.samples.delete(found));
  }
  const ready = run.samples.get(found);
  if (ready) run.shownSample = ready;
  return ready || run.shownSample;
}

function realOf(run, then) {
  if (run.real === null && run.state.snapshots.length) {
    run.real = undefined;
    fetched(`runs/${run.key}/reference`).then(sample => { run.real = sample; then(); }, () => { run.real = null; });
  }
  return run.real || null;
}
