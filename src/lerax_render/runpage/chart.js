// A chart: the curves of one tag, of all runs that are shown, with their recordings as dots.

const EDGE = { left: 46, right: 10, top: 8, bottom: 20 };
const DOT = 4.5;

class Chart {
  constructor(tag) {
    this.tag = tag;
    this.figure = element("figure", { className: "chart" });
    this.value = element("output");
    const title = element("h3", { textContent: tag });
    const caption = element("figcaption");
    caption.append(title, this.value);
    this.canvas = element("canvas", { tabIndex: 0 });
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", `Curve of ${tag}. Left and right: recordings. Enter: play. Plus, minus, 0: zoom`);
    this.figure.append(caption, this.canvas);
    this.seen = false;
    // What nobody sees is neither loaded nor drawn.
    new IntersectionObserver(([entry]) => {
      this.seen = entry.isIntersecting;
      if (this.seen) this.draw();
    }, { rootMargin: "100px" }).observe(this.canvas);
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  lines() {
    const found = [];
    for (const run of view.shown) {
      const curve = run.curve(this.tag, view.zoom !== null, () => this.drawSoon());
      if (curve?.steps.length) found.push({ run, ...curve, raw: curve.values, values: smoothed(curve.values, view.smoothing) });
    }
    return found;
  }

  /** Draw once, however many curves arrive until then. */
  drawSoon() {
    this.later ??= requestAnimationFrame(() => {
      this.later = undefined;
      this.draw();
    });
  }

  /** A colour, which is asked for once in each drawing: the browser takes its time to answer. */
  colour(name) {
    if (!this.colours.has(name)) this.colours.set(name, colourOf(this.canvas, name));
    return this.colours.get(name);
  }

  draw() {
    const { canvas } = this;
    this.colours = new Map();
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!this.seen || !width || !height) return;
    const lines = this.lines();
    this.drawn = lines;
    const [from, to] = view.zoom ?? [0, view.end || 1];
    const [low, high] = extent(lines, from, to);
    const inner = { width: width - EDGE.left - EDGE.right, height: height - EDGE.top - EDGE.bottom };
    this.x = (step) => EDGE.left + ((step - from) / (to - from)) * inner.width;
    this.y = (value) => EDGE.top + (1 - (value - low) / (high - low)) * inner.height;
    this.stepAt = (x) => Math.min(Math.max(from + ((x - EDGE.left) / inner.width) * (to - from), from), to);
    canvas.width = width * devicePixelRatio;
    canvas.height = height * devicePixelRatio;
    const pen = canvas.getContext("2d");
    pen.scale(devicePixelRatio, devicePixelRatio);
    this.drawAxes(pen, [from, to], [low, high], width, height);
    pen.save();
    pen.beginPath();
    pen.rect(EDGE.left, 0, inner.width + 1, height - EDGE.bottom + 1);
    pen.clip();
    pen.lineJoin = "round";
    for (const line of lines) this.drawLine(pen, line, from, to);
    pen.restore();
    this.drawMark(pen, from, to, height);
    this.dots = lines.flatMap((line) => this.dotsOf(line, from, to));
    for (const dot of this.dots) this.drawDot(pen, dot, DOT);
    this.tell(lines);
  }

  drawAxes(pen, [from, to], [low, high], width, height) {
    pen.font = "11px system-ui, sans-serif";
    const [quiet, edge] = [this.colour("--quiet"), this.colour("--edge")];
    pen.lineWidth = 1;
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    for (const value of ticks(low, high, height / 45)) {
      const y = Math.round(this.y(value)) + 0.5;
      pen.strokeStyle = edge;
      pen.beginPath();
      pen.moveTo(EDGE.left, y);
      pen.lineTo(width - EDGE.right, y);
      pen.stroke();
      pen.fillStyle = quiet;
      pen.fillText(compact(value), EDGE.left - 6, y);
    }
    pen.textAlign = "center";
    pen.textBaseline = "bottom";
    for (const step of ticks(from, to, width / 65)) {
      const text = compact(step);
      const half = pen.measureText(text).width / 2;
      pen.fillText(text, Math.min(this.x(step), width - half - 1), height - 2);
    }
  }

  drawLine(pen, { run, steps, values, raw, low, high }, from, to) {
    const colour = this.colour(run.colour);
    const first = Math.max(placeOf(steps, from), 0);
    const last = Math.min(placeOf(steps, to) + 2, steps.length);
    pen.strokeStyle = pen.fillStyle = colour;
    const many = view.shown.length > 6;
    // Between the lowest and the highest of the values that a point stands for.
    if (low && !many) {
      pen.globalAlpha = 0.14;
      pen.beginPath();
      for (let i = first; i < last; i++) if (high[i] !== null) pen.lineTo(this.x(steps[i]), this.y(high[i]));
      for (let i = last - 1; i >= first; i--) if (low[i] !== null) pen.lineTo(this.x(steps[i]), this.y(low[i]));
      pen.fill();
    }
    const trace = (numbers, alpha, thick) => {
      pen.globalAlpha = alpha;
      pen.lineWidth = thick;
      pen.setLineDash(run.dash);
      pen.beginPath();
      let joined = false;
      for (let i = first; i < last; i++) {
        if (numbers[i] === null) joined = false;
        else if (joined) pen.lineTo(this.x(steps[i]), this.y(numbers[i]));
        else pen.moveTo(this.x(steps[i]), this.y(numbers[i]));
        joined = numbers[i] !== null;
      }
      pen.stroke();
    };
    if (view.smoothing && !many) trace(raw, 0.22, 1);
    trace(values, 1, many ? 1.25 : 1.75);
    pen.globalAlpha = 1;
    pen.setLineDash([]);
  }

  /** The moment that the slider is at. */
  drawMark(pen, from, to, height) {
    const step = momentStep();
    if (step < from || step > to) return;
    pen.strokeStyle = this.colour("--quiet");
    pen.lineWidth = 1;
    pen.beginPath();
    const x = Math.round(this.x(step)) + 0.5;
    pen.moveTo(x, EDGE.top);
    pen.lineTo(x, height - EDGE.bottom);
    pen.stroke();
  }

  dotsOf(line, from, to) {
    const found = [];
    for (const recording of line.run.recordings) {
      if (recording.step < from || recording.step > to) continue;
      const value = valueAt(line, recording.step);
      if (value !== null) found.push({ run: line.run, recording, x: this.x(recording.step), y: this.y(value) });
    }
    return found;
  }

  drawDot(pen, { run, x, y }, radius) {
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fillStyle = this.colour(run.colour);
    pen.strokeStyle = this.colour("--surface");
    pen.lineWidth = 1.5;
    pen.fill();
    pen.stroke();
  }

  /** Write what one run has at the slider's moment; of several, the tip does. */
  tell(lines) {
    const [line] = lines.length === 1 ? lines : [];
    const newest = view.step === null && !view.smoothing;
    const value = line && (newest ? line.run.tags.get(this.tag).value : valueAt(line, momentStep()));
    this.value.textContent = typeof value === "number" ? short(value) : "";
  }
}

/** From the lowest to the highest value that is seen, with some room. */
function extent(lines, from, to) {
  let [low, high] = [Infinity, -Infinity];
  for (const { steps, values, raw, low: lows, high: highs } of lines) {
    for (let i = Math.max(placeOf(steps, from), 0); i < steps.length; i++) {
      if (steps[i] > to && i > 0 && steps[i - 1] >= to) break;
      for (const value of [values[i], view.shown.length > 6 ? null : raw[i], lows?.[i], highs?.[i]]) {
        if (value === null || value === undefined) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
  }
  if (low > high) return [0, 1];
  const room = high > low ? (high - low) * 0.05 : Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}
