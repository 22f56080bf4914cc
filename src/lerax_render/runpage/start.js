// What is looked at, and the page as it grows with its trainings.

const REFRESH_MS = 5000;
// So many runs are shown at first, the newest.
const FIRST = 10;

// `end` is the last step, `reach` the end of the axis, which may be of time; a zoom is a part of it.
const view = { runs: given.runs.map((base) => new Run(base)), shown: [], step: null, axis: "step", zoom: null, smoothing: 0, end: 0, reach: 0, lit: null };
const charts = new Map();

function redraw() {
  view.later ??= requestAnimationFrame(() => {
    view.later = undefined;
    for (const chart of charts.values()) chart.draw();
  });
}

/** Show these runs; each keeps its colour as long as it is shown. */
function show(runs) {
  const taken = new Set(view.shown.filter((run) => runs.includes(run)).map((run) => run.place));
  for (const run of runs.filter((each) => !view.shown.includes(each))) {
    run.place = 0;
    while (taken.has(run.place)) run.place++;
    taken.add(run.place);
  }
  view.shown = view.runs.filter((run) => runs.includes(run));
  stills.clear();
  update();
}

/** What comes first: what was earned, then what is watched, then the rest by name. */
function rank(tag) {
  const place = ["episode/return", "eval/return", "eval/clip_return", "episode/length", "eval/length"].indexOf(tag);
  const group = ["eval", "episode", "train", "", "time"].indexOf(tag.includes("/") ? tag.split("/")[0] : "");
  return [place < 0 ? 9 : place, group < 0 ? 3 : group];
}

function arrangeCharts() {
  const tags = [...new Set(view.shown.flatMap((run) => [...run.tags.keys()]))];
  for (const tag of tags.filter((each) => !charts.has(each))) {
    const chart = new Chart(tag);
    charts.set(tag, chart);
    makePointable(chart);
  }
  const wanted = $("#tag-query").value.toLowerCase();
  const sorted = tags.sort((one, other) => {
    const [a, b] = [rank(one), rank(other)];
    return a[0] - b[0] || a[1] - b[1] || one.localeCompare(other);
  });
  const figures = sorted.map((tag) => charts.get(tag).figure);
  for (const tag of sorted) charts.get(tag).figure.hidden = !tag.toLowerCase().includes(wanted);
  const grid = $("#charts");
  // What is in its place already stays there: a canvas that is moved loses the keyboard's focus.
  if (figures.length !== grid.children.length || figures.some((figure, i) => figure !== grid.children[i])) {
    grid.replaceChildren(...figures);
  }
  $("#nothing").hidden = figures.length > 0;
}

/** Find where the axis ends, as far as that is known. */
function measure() {
  view.end = Math.max(0, ...view.shown.map((run) => run.end));
  view.reach = Math.max(0, ...view.shown.map((run) => run.at(run.end) ?? 0));
}

function update() {
  measure();
  $("#axis").options[1].disabled = !view.shown.some((run) => run.tags.has("time/elapsed"));
  arrangeCharts();
  showRuns();
  showMoment();
  markMoments();
  showHparams();
  about();
  redraw();
}

function about() {
  const line = $("#about");
  if (given.index || view.runs.length > 1) {
    const counts = new Map();
    for (const run of view.runs.filter((each) => each.isThere)) {
      const word = outcomeOf(run).split(":")[0];
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const words = new Set(["running", "finished", ...counts.keys()].filter((word) => counts.has(word)));
    line.textContent = [...words].map((word) => `${counts.get(word)} ${word}`).join(" · ");
    return;
  }
  const [run] = view.runs;
  const facts = new Map(run.data.facts);
  const outcome = element("span", { className: "outcome", textContent: outcomeOf(run) });
  outcome.dataset.outcome = run.outcome.split(":")[0];
  const started = new Date(facts.get("started") ?? "");
  const { total } = run.data;
  const words = [facts.get("algorithm"), facts.get("env")].filter(Boolean);
  if (!Number.isNaN(started.valueOf())) words.push(started.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }));
  words.push(`${run.end.toLocaleString("en")}${total ? ` of ${total.toLocaleString("en")}` : ""} steps`);
  line.replaceChildren(outcome, ` ${words.join(" · ")}`);
}

/** Look which runs the page's folder has now. */
async function findRuns() {
  if (!given.index) return;
  const bases = await load(given.index).catch(() => []);
  const known = new Set(view.runs.map((run) => run.base));
  view.runs.push(...bases.filter((base) => !known.has(base)).map((base) => new Run(base)));
}

async function refresh(runs) {
  const before = runs.map((run) => run.outcome);
  const found = await Promise.allSettled(runs.map((run) => run.refresh()));
  return found.some(({ value }, i) => value || runs[i].outcome !== before[i]);
}

async function follow() {
  if (!document.hidden && !viewer.open) {
    const known = new Set(view.runs.filter((run) => run.isThere));
    await findRuns();
    // What has been silent may have been gone on with.
    const alive = view.runs.filter((run) => run.data.outcome === "running" || !known.has(run));
    if (alive.length && (await refresh(alive))) {
      const begun = view.runs.filter((run) => !known.has(run) && run.isThere);
      if (begun.length) show([...view.shown, ...begun.slice(0, Math.max(FIRST - view.shown.length, 1))]);
      else update();
    }
  }
  setTimeout(follow, REFRESH_MS);
}

$("#smoothing").addEventListener("input", () => {
  view.smoothing = Number($("#smoothing").value);
  $("#smoothing-value").textContent = view.smoothing.toFixed(2);
  redraw();
});
$("#axis").addEventListener("change", () => {
  view.axis = $("#axis").value;
  measure();
  zoomTo(null);
});
$("#whole").addEventListener("click", () => zoomTo(null));
$("#tag-query").addEventListener("input", () => {
  arrangeCharts();
  redraw();
});
for (const change of [systemDark, { addEventListener: (_, act) => $("#theme").addEventListener("click", act) }]) {
  change.addEventListener("change", redraw);
}

async function start() {
  await findRuns();
  await refresh(view.runs);
  const newest = view.runs.filter((run) => run.isThere).sort((one, other) => startOf(other).localeCompare(startOf(one)));
  show(newest.slice(0, FIRST));
  root.dataset.ready = "yes";
  if (!given.files) setTimeout(follow, REFRESH_MS);
}

const startOf = (run) => String(new Map(run.data.facts).get("started") ?? "");

start();
