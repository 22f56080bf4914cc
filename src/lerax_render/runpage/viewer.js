// The viewer: one recording, or two side by side with one playhead.

const viewer = $("#viewer");
const panes = [...document.querySelectorAll(".pane")].map((box) => new Pane(box, moved, turnedTo));
const shownPanes = () => panes.filter((pane) => !pane.box.hidden);

/** One of the panes has moved its playhead, or has just begun: the other goes there. */
function moved(pane, playhead) {
  const others = shownPanes().filter((each) => each !== pane && each.begun);
  if (playhead) {
    for (const other of others) other.follow(playhead.seconds);
  } else if (shownPanes().every((each) => each.begun)) {
    turnedTo(panes[0]);
    if (!calm.matches) panes[0].play();
  }
}

/** One of the panes looks from somewhere: so does the other, where it has the same environment. */
function turnedTo(pane) {
  const env = (each) => new Map(each.run.data.facts).get("env");
  for (const other of shownPanes()) {
    if (other !== pane && other.begun && pane.view && other.view && env(other) === env(pane)) other.look(pane.view);
  }
}

addEventListener("message", (event) => {
  if (["playhead", "view"].includes(event.data?.lerax)) for (const pane of shownPanes()) pane.hear(event);
});

function openViewer(run, recording) {
  hideTip();
  panes[0].show(run, recording);
  if (!viewer.open) {
    setBeside(false);
    viewer.showModal();
  }
}

function setBeside(on) {
  panes[1].box.hidden = !on;
  viewer.classList.toggle("wide", on);
  $("#beside").setAttribute("aria-pressed", String(on));
  if (!on) return panes[1].close();
  const { run, recording } = panes[0];
  // Another run at the same moment, or the run's own beginning.
  const other = view.shown.find((each) => each !== run && each.recordings.length);
  const own = run.recordings[0].step === recording.step ? run.recordings.at(-1) : run.recordings[0];
  panes[1].show(other ?? run, other ? other.momentAt(recording.step) : own);
  panes[0].show(run, recording);
}

/** Go to a recording before or after, in both where there are two of different runs. */
function turn(by) {
  const moving = shownPanes().filter((pane) => pane === panes[0] || pane.run !== panes[0].run);
  for (const pane of moving) {
    const { recordings } = pane.run;
    const place = recordings.findIndex((each) => each.step === pane.recording.step) + by;
    pane.show(pane.run, recordings[Math.min(Math.max(place, 0), recordings.length - 1)]);
  }
}

$("#beside").addEventListener("click", () => setBeside(panes[1].box.hidden));
$("#previous").addEventListener("click", () => turn(-1));
$("#next").addEventListener("click", () => turn(1));
$("#close").addEventListener("click", () => viewer.close());
viewer.addEventListener("close", () => panes.forEach((pane) => pane.close()));
viewer.addEventListener("click", (event) => {
  if (event.target === viewer) viewer.close();
});
viewer.addEventListener("keydown", (event) => {
  if (event.target.matches("select, video")) return;
  if (event.key === "ArrowLeft") turn(-1);
  if (event.key === "ArrowRight") turn(1);
});
