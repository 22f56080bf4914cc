// Runs: what is known of each, and its curves, which come when somebody looks at them.

// A training says at least every few seconds that it goes on.
const SILENT_SECONDS = 60;
const COLOURS = 8;

class Run {
  constructor(base) {
    Object.assign(this, { base, place: 0, tags: new Map(), curves: new Map() });
    this.data = { name: base.replace(/\/$/, ""), outcome: "", facts: [], hparams: [], tags: [], recordings: [] };
  }

  get name() {
    return this.data.name;
  }

  get recordings() {
    return this.data.recordings;
  }

  /** How it goes or has ended; one that has been silent for long was killed. */
  get outcome() {
    const { outcome, written } = this.data;
    return outcome === "running" && Date.now() / 1000 - written > SILENT_SECONDS ? "killed" : outcome;
  }

  get colour() {
    return `--run-${this.place % COLOURS}`;
  }

  get dash() {
    return [[], [6, 3], [2, 3]][Math.floor(this.place / COLOURS) % 3];
  }

  /** Whether its folder has data: it may have been removed, or have just begun. */
  get isThere() {
    return Boolean(this.data.written);
  }

  /** The last step that something is known of. */
  get end() {
    return this.steps ?? 0;
  }

  /** Look at what is there now, and return whether anything has changed. */
  async refresh() {
    const data = await load(`${this.base}page/run.js`);
    const before = JSON.stringify({ ...this.data, written: 0 });
    this.data = data;
    this.tags = new Map(data.tags.map((each, number) => [each.tag, { ...each, number }]));
    this.steps = Math.max(0, ...data.tags.map((each) => each.step), ...data.recordings.map((each) => each.step));
    return before !== JSON.stringify({ ...data, written: 0 });
  }

  /** The curve of a tag as far as it is here; `then` is called when there is a better one. */
  curve(tag, closer, then) {
    const known = this.tags.get(tag);
    if (!known) return null;
    const suffix = closer && known.more ? "_all" : "";
    const path = `${this.base}page/curve_${known.number}${suffix}.js`;
    const held = this.curves.get(path);
    if (held?.count !== known.count && !held?.loading) {
      const entry = { curve: held?.curve, count: held?.count, loading: true };
      this.curves.set(path, entry);
      load(path)
        .then((curve) => Object.assign(entry, { curve, count: known.count }))
        .catch(() => Object.assign(entry, { count: known.count }))
        .finally(() => {
          entry.loading = false;
          then();
        });
    }
    return held?.curve ?? (suffix ? this.curve(tag, false, then) : null);
  }

  /** Seconds of training by step; what a later program has gone on with is counted on. */
  get clock() {
    const curve = this.curve("time/elapsed", false, redrawAll);
    if (!curve?.steps.length) return null;
    if (this.clockOf !== curve) {
      let [before, last] = [0, 0];
      const values = curve.values.map((value) => {
        if (value < last) before += last;
        last = value ?? last;
        return before + last;
      });
      Object.assign(this, { clockOf: curve, counted: { steps: curve.steps, values } });
    }
    return this.counted;
  }

  /** Where a step lies on the axis; null where that is not known, or not yet. */
  at(step) {
    if (view.axis === "step") return step;
    const { clock } = this;
    return clock && valueAt(clock, step);
  }

  /** The step at a place of the axis. */
  stepAt(place) {
    if (view.axis === "step") return place;
    const { clock } = this;
    return clock ? valueAt({ steps: clock.values, values: clock.steps }, place) : 0;
  }

  /** What was recorded last by a step; before there is anything, the first. */
  momentAt(step) {
    return this.recordings.findLast((each) => each.step <= step) ?? this.recordings[0];
  }
}

/** What a recording is called. */
function saidOf({ step, return: earned }) {
  const words = [`step ${step.toLocaleString("en")}`];
  if (typeof earned === "number") words.push(`return ${short(earned)}`);
  return words.join(" · ");
}

/** The axis may reach further with what has just arrived. */
function redrawAll() {
  measure();
  redraw();
}

/** A run's name for where there is little room: without the words that all others begin with, too. */
function shortName(run) {
  const names = view.shown.map((each) => each.name);
  const [first, ...others] = names.length > 1 ? names : [""];
  let end = 0;
  while (end < first.length && others.every((name) => name[end] === first[end])) end++;
  while (end > 0 && /[\p{L}\p{N}.]/u.test(first[end - 1])) end--;
  return end > 8 && names.includes(run.name) ? `…${run.name.slice(end)}` : run.name;
}

/** An outcome in words. */
function outcomeOf(run) {
  return run.outcome === "killed" ? "ended abruptly" : run.outcome;
}
