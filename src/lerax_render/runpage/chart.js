// A chart: the curves of one tag, of all runs that are shown, with their recordings as dots.

const EDGE = { left: 46, right: 10, top: 8, bottom: 20 };
const DOT = 4.5;
// Beyond so many runs, curves are lines and nothing else; beyond so many dots, these are small.
const FEW = 6;
const FEW_DOTS = 60;
const UNITS = { "time/elapsed": "s", "time/compile": "s", "memory/process_peak": "MB", "memory/device_peak": "MB" };

class Chart {
  constructor(tag) {
    this.tag = tag;
    this.log = false;
    this.figure = element("figure", { className: "chart" });
    this.value = element("output");
    const title = element("h3", { textContent: tag });
    const unit = element("span", { className: "quiet", textContent: UNITS[tag] ?? "" });
    const caption = element("figcaption");
    caption.append(title, unit, this.value, this.button("log", "Logarithmic axis", "log"), this.button("large", "Large", "⤢"));
    this.canvas = element("canvas", { tabIndex: 0 });
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", `Curve of ${tag}. Left and right: recordings. Enter: play. Plus, minus, 0: zoom`);
    this.figure.append(caption, this.canvas);
    this.seen = false;
    // What nobody sees is neither loaded nor drawn.
    new IntersectionObserver((entries) => {
      this.seen = entries.at(-1).isIntersecting;
      if (this.seen) this.draw();
    }, { rootMargin: "100px" }).observe(this.canvas);
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  /** A switch of this chart alone. */
  button(name, title, text) {
    const button = element("button", { type: "button", className: "switch", title, ariaLabel: `${title}: ${this.tag}`, textContent: text });
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      this[name] = !this[name];
      button.setAttribute("aria-pressed", String(this[name]));
      this.figure.classList.toggle(name, this[name]);
      this.draw();
    });
    return button;
  }

  lines() {
    const found = [];
    for (const run of view.shown) {
      const curve = run.curve(this.tag, view.zoom !== null, () => this.drawSoon());
      if (!curve?.steps.length || run.at(0) === null) continue;
      const steps = view.axis === "step" ? curve.steps : curve.steps.map((step) => run.at(step));
      found.push({ run, ...curve, steps, raw: curve.values, values: smoothed(curve.values, view.smoothing) });
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
    const { canvas, log } = this;
    this.colours = new Map();
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!this.seen || !width || !height) return;
    const lines = this.lines();
    this.drawn = lines;
    const [from, to] = view.zoom ?? [0, view.reach || 1];
    // What has no place on the axis is no number.
    const scale = (value) => (value === null ? NaN : log ? Math.log10(value > 0 ? value : NaN) : value);
    const [low, high] = extent(lines, from, to, scale);
    canvas.width = width * devicePixelRatio;
    canvas.height = height * devicePixelRatio;
    const pen = canvas.getContext("2d");
    pen.scale(devicePixelRatio, devicePixelRatio);
    pen.font = "11px system-ui, sans-serif";
    const rows = marks(low, high, height / 45, { log });
    const left = Math.max(EDGE.left, ...rows.map(([, text]) => pen.measureText(text).width + 8));
    const inner = { width: width - left - EDGE.right, height: height - EDGE.top - EDGE.bottom };
    this.x = (place) => left + ((place - from) / (to - from)) * inner.width;
    this.y = (value) => EDGE.top + (1 - (scale(value) - low) / (high - low)) * inner.height;
    this.placeAt = (x) => Math.min(Math.max(from + ((x - left) / inner.width) * (to - from), from), to);
    this.drawAxes(pen, rows, [from, to], left, width, height);
    pen.save();
    pen.beginPath();
    pen.rect(left, 0, inner.width + 2, height - EDGE.bottom + 1);
    pen.clip();
    pen.lineJoin = "round";
    for (const line of lines) this.drawLine(pen, line, from, to);
    pen.restore();
    this.drawMark(pen, lines, from, to, height);
    // How fast it goes has nothing to do with what is recorded.
    this.dots = /^(time|memory)\//.test(this.tag) ? [] : lines.flatMap((line) => this.dotsOf(line, from, to));
    for (const dot of this.dots) this.drawDot(pen, dot, this.dots.length > FEW_DOTS ? DOT / 2 : DOT);
    this.tell(lines);
  }

  drawAxes(pen, rows, [from, to], left, width, height) {
    const [quiet, edge] = [this.colour("--quiet"), this.colour("--edge")];
    pen.lineWidth = 1;
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    for (const [value, text] of rows) {
      const y = Math.round(this.y(value)) + 0.5;
      pen.strokeStyle = edge;
      pen.beginPath();
      pen.moveTo(left, y);
      pen.lineTo(width - EDGE.right, y);
      pen.stroke();
      pen.fillStyle = quiet;
      pen.fillText(text, left - 6, y);
    }
    pen.fillStyle = quiet;
    pen.textBaseline = "bottom";
    pen.textAlign = "left";
    pen.fillText(view.axis, 0, height - 2);
    pen.textAlign = "center";
    for (const [place, text] of marks(from, to, width / 75, { time: view.axis === "time" })) {
      const half = pen.measureText(text).width / 2;
      pen.fillText(text, Math.min(this.x(place), width - half - 1), height - 2);
    }
  }

  drawLine(pen, { run, steps, values, raw, low, high }, from, to) {
    const colour = this.colour(run.colour);
    const first = Math.max(placeOf(steps, from), 0);
    const last = Math.min(placeOf(steps, to) + 2, steps.length);
    pen.strokeStyle = pen.fillStyle = colour;
    const many = view.shown.length > FEW;
    const strength = view.lit && view.lit !== run ? 0.15 : 1;
    const there = (y) => Number.isFinite(y);
    // Between the lowest and the highest of the values that a point stands for.
    if (low && !many) {
      pen.globalAlpha = 0.14 * strength;
      pen.beginPath();
      for (let i = first; i < last; i++) if (there(this.y(high[i]))) pen.lineTo(this.x(steps[i]), this.y(high[i]));
      for (let i = last - 1; i >= first; i--) if (there(this.y(low[i]))) pen.lineTo(this.x(steps[i]), this.y(low[i]));
      pen.fill();
    }
    const trace = (numbers, alpha, thick) => {
      pen.globalAlpha = alpha * strength;
      pen.lineWidth = thick;
      pen.setLineDash(run.dash);
      pen.beginPath();
      const ys = numbers.slice(first, last).map((value) => this.y(value));
      const alone = [];
      ys.forEach((y, i) => {
        if (!there(y)) return;
        const x = this.x(steps[first + i]);
        if (there(ys[i - 1])) pen.lineTo(x, y);
        else if (there(ys[i + 1])) pen.moveTo(x, y);
        else alone.push([x, y]);
      });
      pen.stroke();
      pen.setLineDash([]);
      for (const [x, y] of alone) pen.fillRect(x - 2.5, y - 2.5, 5, 5);
      return ys;
    };
    if (view.smoothing && !many) trace(raw, 0.22, 1);
    const ys = trace(values, 1, view.lit === run ? 2.5 : many ? 1.25 : 1.75);
    // A cross where values cease to be numbers.
    pen.lineWidth = 1.75;
    pen.beginPath();
    ys.forEach((y, i) => {
      if (!there(y) || i + 1 >= ys.length || values[first + i + 1] !== null) return;
      const x = this.x(steps[first + i]);
      for (const by of [-4, 4]) {
        pen.moveTo(x - 4, y - by);
        pen.lineTo(x + 4, y + by);
      }
    });
    pen.stroke();
    pen.globalAlpha = 1;
  }

  /** The moment that the slider was moved to. */
  drawMark(pen, lines, from, to, height) {
    if (view.step === null) return;
    pen.strokeStyle = this.colour("--quiet");
    pen.lineWidth = 1;
    for (const place of new Set(lines.map(({ run }) => run.at(view.step)))) {
      if (place < from || place > to) continue;
      pen.beginPath();
      const x = Math.round(this.x(place)) + 0.5;
      pen.moveTo(x, EDGE.top);
      pen.lineTo(x, height - EDGE.bottom);
      pen.stroke();
    }
  }

  dotsOf(line, from, to) {
    const found = [];
    for (const recording of line.run.recordings) {
      const place = line.run.at(recording.step);
      if (place < from || place > to) continue;
      // Values of recordings are not interpolated: between two of them nothing was measured.
      if (this.tag.startsWith("eval/") && !line.low && !line.steps.includes(place)) continue;
      // What is logged all the time begins soon after the first recording.
      const value = readAt(line, place, line.steps.length > 10 ? 3 : 0);
      const y = this.y(value);
      if (Number.isFinite(y)) found.push({ run: line.run, recording, x: this.x(place), y });
    }
    return found;
  }

  drawDot(pen, { run, x, y }, radius) {
    pen.globalAlpha = view.lit && view.lit !== run ? 0.15 : 1;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fillStyle = this.colour(run.colour);
    pen.strokeStyle = this.colour("--surface");
    pen.lineWidth = 1.5;
    pen.fill();
    pen.stroke();
    pen.globalAlpha = 1;
  }

  /** Write what one run has at the slider's moment; of several, the tip does. */
  tell(lines) {
    const [line] = lines.length === 1 ? lines : [];
    const newest = view.step === null && !view.smoothing;
    const value = line && (newest ? line.run.tags.get(this.tag).value : readAt(line, line.run.at(momentStep())));
    this.value.textContent = typeof value === "number" ? short(value) : line && newest ? "not finite" : "";
  }
}

/** From the lowest to the highest place of what is seen, with some room. */
function extent(lines, from, to, scale) {
  let [low, high] = [Infinity, -Infinity];
  for (const { steps, values, raw, low: lows, high: highs } of lines) {
    for (let i = Math.max(placeOf(steps, from), 0); i < steps.length; i++) {
      if (steps[i] > to && i > 0 && steps[i - 1] >= to) break;
      for (const value of [values[i], view.shown.length > FEW ? null : raw[i], lows?.[i], highs?.[i]]) {
        const place = scale(value ?? null);
        if (!Number.isFinite(place)) continue;
        low = Math.min(low, place);
        high = Math.max(high, place);
      }
    }
  }
  if (low > high) return [0, 1];
  const room = high > low ? (high - low) * 0.05 : Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}
