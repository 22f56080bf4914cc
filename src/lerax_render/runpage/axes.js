// Axes: where their ticks are, and how numbers are written at them.

/** Round numbers between two, about as many as wanted. */
function ticks(low, high, wanted) {
  const rough = (high - low) / Math.max(wanted, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const by = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const found = [];
  for (let at = Math.ceil(low / by - 1e-9); at * by <= high + by * 1e-9 && found.length < 50; at++) found.push(at * by);
  return found;
}

/** Powers of ten between two of their exponents, and 2 and 5 times them where those are few. */
function powers(low, high) {
  const found = [];
  const every = Math.ceil((high - low) / 6) || 1;
  for (let power = Math.floor(low); power <= high; power += every) {
    for (const factor of high - low < 2 ? [1, 2, 5] : [1]) found.push(factor * 10 ** power);
  }
  return found.filter((value) => Math.log10(value) >= low && Math.log10(value) <= high);
}

/** A number at an axis, 1.5M for 1500000, with the digits that tell it from others so far away. */
function compact(value, by = 0) {
  const size = Math.abs(value);
  const [unit, one] = [["B", 1e9], ["M", 1e6], ["k", 1e3]].find(([, each]) => size >= each) ?? ["", 1];
  const digits = by && size ? Math.min(Math.max(Math.ceil(Math.log10(size / by) + 1.5), 4), 12) : 4;
  const rounded = Number((value / one).toPrecision(digits));
  return (size > 0 && size < 1e-4 ? rounded.toExponential() : String(rounded)) + unit;
}

/** Marks of an axis: their places, and what stands at each. */
function marks(low, high, wanted, { log, time }) {
  if (log) {
    const found = powers(low, high);
    if (found.length > 1) return found.map((value) => [value, compact(value)]);
    // What is close together has no powers in it.
    return marks(10 ** low, 10 ** high, wanted, {});
  }
  const [unit, one] = !time ? ["", 1] : high - low > 7200 ? [" h", 3600] : high - low > 180 ? [" min", 60] : [" s", 1];
  const found = ticks(low / one, high / one, wanted);
  const by = found[1] - found[0] || 0;
  return found.map((value) => [value * one, compact(value, by) + unit]);
}

/** An exponential moving average that begins where the values do. */
function smoothed(values, weight) {
  if (!weight) return values;
  let [mean, total] = [0, 0];
  return values.map((value) => {
    if (value === null) return null;
    mean = weight * mean + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return mean / total;
  });
}

/** The place of the last step that is not after another; -1 where all are. */
function placeOf(steps, step) {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] <= step) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The value of a line at a step, between its points; null where it has none. */
function valueAt({ steps, values }, step) {
  const at = Math.max(placeOf(steps, step), 0);
  const [one, other] = [values[at], values[at + 1]];
  if (one === undefined) return null;
  if (one === null || other === undefined || other === null || step <= steps[at]) return one;
  return one + ((other - one) * (step - steps[at])) / (steps[at + 1] - steps[at]);
}

/** The same where the line is, or nearly so: by shares of what lies between its values. */
function readAt(line, place, before = 0.5) {
  const { steps } = line;
  const between = (steps.at(-1) - steps[0]) / Math.max(steps.length - 1, 1);
  if (place < steps[0] - before * between || place > steps.at(-1) + 0.5 * between) return null;
  return valueAt(line, place);
}
