// What mouse, finger and keyboard do on a chart.

const NEAR = 14;
const CLICK = 5;
const tip = $("#tip");

function nearest(chart, x, y) {
  let found = null;
  let least = NEAR;
  for (const dot of chart.dots ?? []) {
    const distance = Math.hypot(dot.x - x, dot.y - y);
    if (distance < least) [found, least] = [dot, distance];
  }
  return found;
}

/** Say what is under the pointer: the values of a step, and of a dot the still. */
function showTip(chart, x, y) {
  const dot = nearest(chart, x, y);
  const place = dot ? dot.run.at(dot.recording.step) : chart.placeAt(x);
  const values = chart.drawn
    .map((line) => ({ run: line.run, value: readAt(line, place) }))
    .filter(({ value }) => value !== null)
    .sort((one, other) => other.value - one.value);
  if (!dot && !values.length) return hideTip();
  const parts = [];
  if (dot?.recording.still) {
    const still = element("img", { alt: "" });
    still.src = address(dot.run.base + dot.recording.still);
    parts.push(still);
  }
  parts.push(element("p", { className: "when", textContent: dot ? saidOf(dot.recording) : placeInWords(place) }));
  for (const { run, value } of values.slice(0, 8)) {
    const row = element("p", { className: "value" });
    row.classList.toggle("chosen", run === dot?.run);
    const name = element("span", { textContent: view.shown.length > 1 ? shortName(run) : chart.tag });
    row.append(dotOf(run), name, element("b", { textContent: short(value) }));
    parts.push(row);
  }
  if (values.length > 8) parts.push(element("p", { className: "when", textContent: `and ${values.length - 8} more` }));
  if (dot) parts.push(element("p", { className: "when", textContent: "click to play" }));
  tip.replaceChildren(...parts);
  tip.hidden = false;
  const box = chart.canvas.getBoundingClientRect();
  const [left, top] = [box.left + x, box.top + y];
  const { offsetWidth: width, offsetHeight: height } = tip;
  tip.style.left = `${Math.max(4, left + width + 20 > innerWidth ? left - width - 14 : left + 14)}px`;
  tip.style.top = `${Math.max(4, Math.min(top - height / 2, innerHeight - height - 4))}px`;
  chart.canvas.style.cursor = dot ? "pointer" : "crosshair";
}

function placeInWords(place) {
  if (view.axis === "step") return `step ${Math.round(place).toLocaleString("en")}`;
  const [hours, minutes, seconds] = [place / 3600, (place / 60) % 60, place % 60].map(Math.floor);
  return `${hours}:${String(minutes).padStart(2, "0")}:${String(seconds).padStart(2, "0")} of training`;
}

function hideTip() {
  tip.hidden = true;
}

/** The colour of a run, as a dot in a text. */
function dotOf(run) {
  const dot = element("i", { className: "dot" });
  dot.style.background = `var(${run.colour})`;
  return dot;
}

function makePointable(chart) {
  const { canvas } = chart;
  let start = null;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    start = at(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!chart.drawn) return;
    const [x, y] = at(event);
    if (!start) return showTip(chart, x, y);
    if (Math.abs(x - start[0]) < CLICK) return;
    hideTip();
    chart.draw();
    const pen = canvas.getContext("2d");
    pen.globalAlpha = 0.15;
    pen.fillStyle = colourOf(canvas, "--accent");
    pen.fillRect(start[0], EDGE.top, x - start[0], canvas.clientHeight - EDGE.top - EDGE.bottom);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!start) return;
    const [[x0], [x, y]] = [start, at(event)];
    start = null;
    if (Math.abs(x - x0) >= CLICK) return zoomTo(...[x0, x].map(chart.placeAt).sort((one, other) => one - other));
    const dot = nearest(chart, x, y);
    if (dot) openViewer(dot.run, dot.recording);
    else if (chart.drawn.length) setMoment(chart.drawn[0].run.stepAt(chart.placeAt(x)));
  });
  canvas.addEventListener("pointercancel", () => {
    start = null;
    chart.draw();
  });
  canvas.addEventListener("pointerleave", hideTip);
  canvas.addEventListener("dblclick", () => zoomTo(null));
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = {
      ArrowLeft: () => stepMoment(-1),
      ArrowRight: () => stepMoment(1),
      Enter: () => playMoment(),
      "+": () => zoomBy(0.5),
      "-": () => zoomBy(2),
      0: () => zoomTo(null),
    };
    if (!(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
}

function zoomTo(from, to) {
  const whole = from === null || to - from >= view.reach;
  view.zoom = whole || !(to > from) ? null : [Math.max(from, 0), to];
  $("#whole").disabled = view.zoom === null;
  redraw();
}

/** Show more or less around the slider's moment. */
function zoomBy(factor) {
  const [from, to] = view.zoom ?? [0, view.reach];
  const length = (to - from) * factor;
  if (length >= view.reach) return zoomTo(null);
  const place = view.shown[0]?.at(momentStep()) ?? 0;
  const start = Math.min(Math.max(place - length / 2, 0), view.reach - length);
  zoomTo(start, start + length);
}
