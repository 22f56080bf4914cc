// The time line: what was earned, where episodes begin, and the playhead, which is a slider.

// Colours of lanes, which differ in lightness, too.
const COLOURS = ["--lane-0", "--lane-1", "--lane-2", "--lane-3"];

class Timeline {
  constructor(lanes, clock) {
    Object.assign(this, { lanes, clock, canvas: $("#curve"), slider: $("#scrub") });
    // A simulation has rewards, and all of them are 0.
    const earns = lanes.some((lane) => lane.rewards?.some((reward) => reward !== 0));
    this.slider.max = clock.steps - 1;
    this.slider.disabled = clock.steps < 2;
    $(".timeline").classList.toggle("flat", !earns);
    this.slider.addEventListener("input", () => {
      clock.playing = false;
      clock.seek(Number(this.slider.value));
    });
    this.legend = lanes.map((lane, i) => this.entry(lane, i));
    $("#legend").hidden = !earns;
    this.earning = earns ? lanes.filter((lane) => lane.rewards) : [];
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    systemDark.addEventListener("change", () => this.draw());
    new MutationObserver(() => this.draw()).observe(root, { attributeFilter: ["style"] });
  }

  entry(lane, i) {
    const entry = element("li");
    const dot = element("i");
    dot.className = `dot lane-${i % COLOURS.length}`;
    const name = lane.label || (this.lanes.length > 1 ? `replay ${i + 1}` : "");
    const value = element("b");
    const reward = element("span", { className: "reward" });
    entry.append(dot, ...(name ? [element("span", { textContent: name })] : []), value, reward);
    if (lane.rewards) $("#legend").append(entry);
    return { value, reward };
  }

  /** Show the playhead where the clock is. */
  move() {
    const { step } = this.clock;
    this.slider.value = step;
    this.slider.setAttribute("aria-valuetext", this.words(step));
    this.lanes.forEach((lane, i) => {
      if (!lane.rewards) return;
      this.legend[i].value.textContent = `return ${short(lane.returns[lane.at(step)])}`;
      this.legend[i].reward.textContent = `reward ${short(lane.rewards[lane.at(step)])}`;
    });
  }

  words(step) {
    const { steps, secondsPerStep } = this.clock;
    const lane = this.lanes[0];
    const words = [`step ${step} of ${steps - 1}`];
    if (lane.secondsPerStep) words.push(`${(step * secondsPerStep).toFixed(2)} seconds`);
    if (lane.rewards) words.push(`return ${short(lane.returns[lane.at(step)])}`);
    return words.join(", ");
  }

  draw() {
    const { canvas, lanes, earning } = this;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width || !height) return;
    canvas.width = width * devicePixelRatio;
    canvas.height = height * devicePixelRatio;
    const pen = canvas.getContext("2d");
    pen.scale(devicePixelRatio, devicePixelRatio);
    pen.lineJoin = "round";
    const place = (step) => (step / Math.max(this.clock.steps - 1, 1)) * width;
    const straight = (...ends) => {
      pen.beginPath();
      for (const end of ends) pen.lineTo(...end.map((position) => Math.round(position) + 0.5));
      pen.stroke();
    };
    pen.strokeStyle = colourOf(canvas, "--mark");
    lanes.forEach((lane, i) => {
      // Those of several lanes share the height.
      const [top, bottom] = [i, i + 1].map((part) => (part / lanes.length) * height);
      for (const start of lane.starts) {
        const x = place(start / lane.stride);
        if (start > 0) straight([x, top], [x, bottom]);
      }
    });
    // Rewards of many replays over each other would hide the returns.
    const names = earning.length > 2 ? ["returns"] : ["rewards", "returns"];
    for (const name of earning.length ? names : []) {
      const [low, high] = range(earning.map((lane) => lane[name]));
      const level = (value) => height - 5 - ((value - low) / (high - low)) * (height - 10);
      if (name === "returns") straight([0, level(0)], [width, level(0)]);
      for (const lane of earning) {
        pen.save();
        pen.strokeStyle = colourOf(canvas, COLOURS[lanes.indexOf(lane) % COLOURS.length]);
        pen.globalAlpha = name === "rewards" ? 0.35 : 1;
        pen.lineWidth = name === "rewards" ? 1 : 2;
        trace(pen, lane, lane[name], (step) => place(step / lane.stride), level, width);
        pen.restore();
      }
    }
  }
}

/** Draw a curve that starts anew with each episode; of many steps in a pixel, their extent. */
function trace(pen, lane, values, place, level, width) {
  const bundle = Math.max(1, Math.floor(values.length / width / 2));
  pen.beginPath();
  let joined = false;
  for (let from = 0; from < values.length; from += bundle) {
    const stop = Math.min(from + bundle, values.length);
    let low = Infinity;
    let high = -Infinity;
    for (let step = from; step < stop; step++) {
      if (lane.starts.has(step)) joined = false;
      // No action has led to an episode's first step, so it has no reward.
      const missing = values === lane.rewards && lane.starts.has(step);
      if (missing || !Number.isFinite(values[step])) continue;
      low = Math.min(low, values[step]);
      high = Math.max(high, values[step]);
    }
    if (low > high) {
      joined = false;
      continue;
    }
    if (joined) pen.lineTo(place(from), level(low));
    else pen.moveTo(place(from), level(low));
    if (high > low) pen.lineTo(place(from), level(high));
    joined = true;
  }
  pen.stroke();
}

/** From the lowest to the highest of all finite numbers and 0. */
function range(arrays) {
  let low = 0;
  let high = 0;
  for (const array of arrays) {
    for (const value of array) {
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return high > low ? [low, high] : [low, low + 1];
}
