// Samples: histograms, the plane with the discriminator's field, small images.
const quantile = (sorted, q) => sorted[Math.min(Math.max(Math.round(q * (sorted.length - 1)), 0), sorted.length - 1)];

function binning(values) {
  const sorted = Float32Array.from(values).sort();
  let low = quantile(sorted, 0.002), high = quantile(sorted, 0.998);
  if (sorted.every(Number.isInteger) && high - low < 60) return { low: low - 1.5, high: high + 1.5, bins: high - low + 3 };
  const room = (high - low) * 0.08 || 1;
  return { low: low - room, high: high + room, bins: Math.min(Math.max(Math.round(2.5 * Math.cbrt(sorted.length)), 12), 40) };
}

function counts(values, { low, high, bins }, weights) {
  const found = new Float64Array(bins);
  let total = 0;
  values.forEach((value, i) => {
    const place = Math.floor((value - low) / (high - low) * bins), weight = weights ? weights[i] : 1;
    total += weight;
    if (place >= 0 && place < bins) found[place] += weight;
  });
  return found.map(count => count / (total || 1));
}

const mean = values => values.reduce((a, b) => a + b, 0) / values.length;

function histogram(host, { name, unit, real, generated, weights }) {
  const width = Math.max(host.clientWidth, 200), height = 150, bottom = 22, axis = binning(real);
  const first = counts(real, axis, weights), second = generated ? counts(generated, axis) : null;
  const most = Math.max(...first, ...(second || [])) * 1.06 || 1;
  const x = i => width * i / axis.bins, y = value => height - bottom - (height - bottom - 4) * Math.max(value, 0) / most;
  const stairs = values => values.reduce((path, value, i) => path + `L${x(i).toFixed(1)} ${y(value).toFixed(1)}L${x(i + 1).toFixed(1)} ${y(value).toFixed(1)}`, `M0 ${height - bottom}`) + `L${width} ${height - bottom}`;
  const said = generated ? `; mean ${digits(mean(real))} real, ${digits(mean(generated))} generated` : "";
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": `Histogram of ${name}${said}` }, document.createDocumentFragment());
  draw("path", { d: stairs(Array.from(first)), fill: "var(--fill)", stroke: "var(--edge)", "stroke-width": 0.8 }, svg);
  if (second) draw("path", { class: "generated", d: stairs(Array.from(second)), fill: "none", stroke: "var(--generated)", "stroke-width": 1.7 }, svg);
  draw("line", { class: "axis", x1: 0, x2: width, y1: height - bottom, y2: height - bottom }, svg);
  for (const tick of ticks(axis.low, axis.high, 4)) {
    const place = width * (tick - axis.low) / (axis.high - axis.low);
    if (place > 14 && place < width - 14) draw("text", { x: place, y: height - 6, "text-anchor": "middle" }, svg, digits(tick));
  }
  host.replaceChildren(svg);
}

function colour(name) {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const swatch = element("span");
  swatch.style.color = `var(--${name})`;
  document.body.append(swatch);
  probe.fillStyle = getComputedStyle(swatch).color;
  swatch.remove();
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

function canvasOf(host, height, words) {
  const width = Math.max(host.clientWidth, 200), scale = window.devicePixelRatio || 1;
  const canvas = element("canvas", { role: "img", "aria-label": words, width: Math.round(width * scale), height: Math.round(height * scale) });
  canvas.style.height = height + "px";
  host.replaceChildren(canvas);
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  return [pen, width];
}

// D from 0 (the generated colour) over 1/2 (the card's) to 1 (the accent).
function fieldImage(field) {
  const [side] = field.shape, image = new ImageData(side, side), ends = [colour("generated"), colour("card"), colour("accent")];
  for (let row = 0; row < side; row++) for (let column = 0; column < side; column++) {
    const belief = field.values[row * side + column] / 255, end = belief < 0.5 ? ends[0] : ends[2], share = Math.abs(belief - 0.5) * 1.1;
    const place = 4 * ((side - 1 - row) * side + column);
    for (let k = 0; k < 3; k++) image.data[place + k] = ends[1][k] + (end[k] - ends[1][k]) * share;
    image.data[place + 3] = 255;
  }
  const canvas = element("canvas", { width: side, height: side });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

function plane(host, { box, real, generated, field, names }) {
  const height = Math.min(Math.max(host.clientWidth, 200), 420), words = `${names[1]} against ${names[0]}: ${generated ? generated[0].length : 0} generated events over ${real[0].length} real ones${field ? ", the discriminator's field behind them" : ""}`;
  const [pen, width] = canvasOf(host, height, words), left = 46, bottom = 24, [[x0, x1], [y0, y1]] = box;
  const x = value => left + (width - left) * (value - x0) / (x1 - x0), y = value => (height - bottom) * (y1 - value) / (y1 - y0);
  const ink = name => `rgb(${colour(name).join(" ")})`;
  pen.imageSmoothingEnabled = true;
  if (field) pen.drawImage(fieldImage(field), left, 0, width - left, height - bottom);
  pen.save();
  pen.beginPath();
  pen.rect(left, 0, width - left, height - bottom);
  pen.clip();
  for (const [sample, name, size, alpha] of [[real, "edge", 1.3, 0.55], [generated, "generated", 1.5, 0.85]]) {
    if (!sample) continue;
    pen.fillStyle = ink(name);
    pen.globalAlpha = alpha;
    sample[0].forEach((value, i) => { pen.beginPath(); pen.arc(x(value), y(sample[1][i]), size, 0, 7); pen.fill(); });
  }
  pen.restore();
  pen.fillStyle = ink("soft");
  pen.font = "12px system-ui, sans-serif";
  pen.textAlign = "center";
  for (const tick of ticks(x0, x1, width / 90)) if (x(tick) > left + 12 && x(tick) < width - 12) pen.fillText(digits(tick), x(tick), height - 7);
  pen.textAlign = "right";
  for (const tick of ticks(y0, y1, height / 60)) if (y(tick) > 8 && y(tick) < height - bottom - 8) pen.fillText(digits(tick), left - 7, y(tick) + 4);
  pen.strokeStyle = ink("line");
  pen.strokeRect(left + 0.5, 0.5, width - left - 1, height - bottom - 1);
}

function sprites(sample, scale, signed, words) {
  const [number, rows, columns] = sample.images.shape, host = element("div", { class: "sprites", role: "img", "aria-label": words });
  const [ink, paper] = [colour("ink"), colour("page")];
  for (let i = 0; i < number; i++) {
    const canvas = element("canvas", { width: columns, height: rows }), image = new ImageData(columns, rows);
    for (let j = 0; j < rows * columns; j++) {
      const value = sample.images.values[i * rows * columns + j];
      const share = signed ? (value + scale) / (2 * scale) : Math.log1p(100 * Math.max(value, 0) / scale) / Math.log(101);
      for (let k = 0; k < 3; k++) image.data[4 * j + k] = paper[k] + (ink[k] - paper[k]) * Math.min(Math.max(share, 0), 1);
      image.data[4 * j + 3] = 255;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
    host.append(canvas);
  }
  return host;
}
