// Which runs are shown, and what they differ in.

function showRuns() {
  $("#runs").hidden = view.runs.length < 2;
  const wanted = $("#run-query").value.toLowerCase();
  const there = view.runs.filter((run) => run.isThere);
  const rows = there.map((run) => {
    const row = element("li");
    row.hidden = !run.name.toLowerCase().includes(wanted);
    const label = element("label");
    const box = element("input", { type: "checkbox", checked: view.shown.includes(run) });
    box.addEventListener("change", () => {
      show(box.checked ? [...view.shown, run] : view.shown.filter((each) => each !== run));
    });
    const dot = dotOf(run);
    dot.hidden = !box.checked;
    const name = element("span", { className: "name", textContent: run.name });
    label.append(box, dot, name);
    if (run.outcome !== "finished") {
      const [word] = outcomeOf(run).split(":");
      const said = element("span", { className: "outcome", textContent: word, title: run.outcome });
      said.dataset.outcome = run.outcome.split(":")[0];
      name.append(" ", said);
    }
    for (const [event, lit] of [["mouseenter", run], ["mouseleave", null], ["focusin", run], ["focusout", null]]) {
      label.addEventListener(event, () => {
        view.lit = view.shown.includes(run) ? lit : null;
        redraw();
      });
    }
    row.append(label);
    return row;
  });
  $("#run-list").replaceChildren(...rows);
  $("#run-count").textContent = `${view.shown.length} of ${there.length} shown`;
}

// What differs in all runs, and is no difference between them.
const OWN = ["started", "ended"];

const written = (value, name) => {
  if (value === undefined || value === null) return "–";
  if (OWN.includes(name)) return new Date(value).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
  return typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(6))) : String(value);
};

/** Rows of names and values, of which each column is a run. */
function showHparams() {
  const runs = view.shown;
  const columns = runs.map((run) => new Map([...run.data.hparams, ["", null], ...run.data.facts]));
  const names = [...new Set(columns.flatMap((column) => [...column.keys()]))].filter(Boolean);
  const facts = new Set(runs.flatMap((run) => run.data.facts.map(([name]) => name)));
  names.sort((one, other) => facts.has(one) - facts.has(other));
  const only = $("#only-differences").checked;
  $("#hparams").classList.toggle("several", runs.length > 1);
  const head = element("tr");
  head.append(element("th", { scope: "col", textContent: "name" }));
  for (const run of runs) {
    const cell = element("th", { scope: "col" });
    cell.append(dotOf(run), ` ${run.name}`);
    head.append(cell);
  }
  const rows = names.map((name) => {
    const values = columns.map((column) => written(column.get(name), name));
    const row = element("tr");
    const differs = !OWN.includes(name) && new Set(values).size > 1;
    row.classList.toggle("differs", differs);
    row.classList.toggle("fact", facts.has(name));
    row.hidden = only && runs.length > 1 && !differs;
    const title = element("th", { scope: "row", textContent: name });
    if (differs) title.append(element("span", { className: "mark", textContent: "≠", title: "differs" }));
    row.append(title, ...values.map((value) => element("td", { textContent: value })));
    return row;
  });
  $("#hparams thead").replaceChildren(head);
  $("#hparams tbody").replaceChildren(...rows);
  $("#hparams").hidden = !rows.length;
}

$("#only-differences").addEventListener("change", showHparams);
$("#run-query").addEventListener("input", showRuns);
$("#all-runs").addEventListener("click", () => show(view.runs.filter((run) => run.isThere)));
$("#no-runs").addEventListener("click", () => show([]));
