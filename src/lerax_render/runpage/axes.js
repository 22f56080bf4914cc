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

/** A number at an axis: 1500000 is 1.5M. */
function compact(value) {
  const size = Math.abs(value);
  const [unit, by] = [["B", 1e9], ["M", 1e6], ["k", 1e3]].find(([, each]) => size >= each) ?? ["", 1];
  if (size > 0 && size < 1e-3) return value.toExponential(0);
  return `${Number((value / by).toPrecision(4))}${unit}`;
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
