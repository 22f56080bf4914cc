// The slider through the training, and what the policies did by then.

const MOST_STILLS = 6;
const slider = $("#moment");

/** The step that the slider is at; until somebody moves it, the newest. */
function momentStep() {
  return view.step ?? view.end;
}

function setMoment(step) {
  view.step = step >= view.end ? null : Math.max(step, 0);
  showMoment();
  redraw();
}

/** Go to the recording before or after, of any run that is shown. */
function stepMoment(by) {
  const steps = momentSteps();
  const at = momentStep();
  const found = by > 0 ? steps.find((step) => step > at) : steps.findLast((step) => step < at);
  setMoment(found ?? (by > 0 ? view.end : 0));
}

function playMoment() {
  const run = view.shown.find((each) => each.recordings.length);
  if (run) openViewer(run, run.momentAt(momentStep()));
}

function momentSteps() {
  const steps = view.shown.flatMap((run) => run.recordings.map((each) => each.step));
  return [...new Set(steps)].sort((one, other) => one - other);
}

function showMoment() {
  const step = momentStep();
  slider.max = view.end || 1;
  slider.value = step;
  const total = Math.max(...view.shown.map((run) => run.data.total ?? 0), view.end);
  const text = `step ${Math.round(step).toLocaleString("en")} of ${total.toLocaleString("en")}`;
  $("#moment-step").textContent = slider.ariaValueText = text;
  const runs = view.shown.filter((run) => run.recordings.length);
  $("#stills").replaceChildren(...runs.slice(0, MOST_STILLS).map((run) => stillOf(run, run.momentAt(step))));
  const left = runs.length - MOST_STILLS;
  $("#more-stills").textContent = left > 0 ? `and ${left} more runs: choose fewer to see theirs` : "";
  $("#training").hidden = !runs.length;
}

// A picture that is there is kept, so that moving the slider does not make it blink.
const stills = new Map();

function stillOf(run, recording) {
  const path = run.base + (recording.still ?? "");
  const key = `${run.base} ${path}`;
  const known = stills.get(key);
  if (known) {
    $(".said", known).textContent = saidOf(recording);
    return known;
  }
  const item = element("li");
  const button = element("button", { type: "button", className: "shot" });
  if (recording.still) button.append(element("img", { src: address(path), alt: "" }));
  const name = element("span", { className: "name", textContent: view.runs.length > 1 ? run.name : "" });
  const words = element("span", { className: "words" });
  words.append(dotOf(run), name, element("span", { className: "said", textContent: saidOf(recording) }));
  button.append(words);
  button.addEventListener("click", () => openViewer(run, run.recordings.find((each) => each.step === recording.step) ?? recording));
  item.append(button);
  if (recording.still) stills.set(key, item);
  return item;
}

function markMoments() {
  const marks = momentSteps().slice(0, 400).map((step) => {
    const mark = element("i");
    mark.style.left = `${(100 * step) / (view.end || 1)}%`;
    return mark;
  });
  $("#marks").replaceChildren(...marks);
}

slider.addEventListener("input", () => setMoment(Number(slider.value)));
slider.addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
  if (by && momentSteps().length) {
    event.preventDefault();
    stepMoment(by);
  }
  if (event.key === "Enter") {
    // Or it would press the button that has the focus next.
    event.preventDefault();
    playMoment();
  }
});
