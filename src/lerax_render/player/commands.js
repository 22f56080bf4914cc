// The draw commands of a 2D replay, as pack_2d.py has packed them.

// How many numbers each kind has besides its points and a colour.
const NUM_SIZES = { circle: 1, clear: 0, ellipse: 2, line: 1, polygon: 0, polyline: 0, rect: 2, text: 1, y_down: 2, y_up: 2 };

/** Whether it is no drawing but another transform. */
const isView = (kind) => kind === "y_up" || kind === "y_down";

const numNumbers = (kind, points) => 2 * points + NUM_SIZES[kind] + (isView(kind) ? 0 : 3);

/** What several steps draw, which differ in numbers and texts only. */
class Commands {
  constructor({ commands, cleared, fixed, moves, numbers, texts }, bytes) {
    this.commands = commands;
    this.cleared = cleared;
    this.count = commands.reduce((sum, [, , count]) => sum + count, 0);
    this.numbers = arrayIn(bytes, fixed);
    this.moves = arrayIn(bytes, moves);
    this.moving = arrayIn(bytes, numbers);
    this.texts = arrayIn(bytes, texts);
    this.numTexts = texts.shape[1];
    // So many commands at the beginning are the same in all steps, and need be drawn only once.
    this.still = cleared && texts.shape[0] > 1 ? this.leading() : 0;
  }

  /** The numbers of one step, valid until the next ones are asked for. */
  numbersOf(row) {
    const count = this.moves.length;
    for (let i = 0; i < count; i++) this.numbers[this.moves[i]] = this.moving[row * count + i];
    return this.numbers;
  }

  leading() {
    let [at, place, text] = [0, 0, 0];
    const first = this.moves.length ? this.moves[0] : Infinity;
    for (const [kind, points, count] of this.commands) {
      const size = numNumbers(kind, points);
      for (let i = 0; i < count; i++, place++, at += size) {
        if (at + size > first || (kind === "text" && this.changes(text++))) return place;
      }
    }
    return place;
  }

  changes(text) {
    for (let at = text; at < this.texts.length; at += this.numTexts) {
      if (this.texts[at] !== this.texts[text]) return true;
    }
    return false;
  }
}
