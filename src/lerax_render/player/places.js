// Where everything is at a step of a lane: frames, the clip's camera, and what hangs between bodies.

class Places {
  constructor(bytes, lane) {
    this.lane = lane;
    this.turns = arrayIn(bytes, lane.turns);
    [this.steps, this.count] = lane.turns.shape;
    this.places = unpacked(bytes, lane.places);
    this.path = arrayIn(bytes, lane.eye.path);
    this.grounds = lane.ground && arrayIn(bytes, lane.ground);
    this.ends = lane.rodEnds ? unpacked(bytes, lane.rodEnds) : [];
    this.vertices = lane.flexes ? unpacked(bytes, lane.flexes) : [];
    this.flexCount = lane.flexes ? lane.flexes.values.shape[1] : 0;
    this.go(0);
  }

  go(step) {
    this.step = Math.max(0, Math.min(step, this.steps - 1));
    const first = this.step * this.count;
    this.frames = Array.from({ length: this.count }, (_, i) => ({
      at: [...this.places.subarray(3 * (first + i), 3 * (first + i) + 3)],
      turn: rotation(this.turns.subarray(4 * (first + i), 4 * (first + i) + 4)),
    }));
  }

  get eye() {
    const row = [...this.path.subarray(9 * this.step, 9 * this.step + 9)];
    const { distance, rims, parallel } = this.lane.eye;
    return { eye: row.slice(0, 3), forward: row.slice(3, 6), up: row.slice(6), distance, rims, parallel };
  }

  get ground() {
    return this.grounds?.[this.step];
  }

  /** How things look otherwise than in the scene, by type and number. */
  get changes() {
    return this.lane.changes.findLast(({ from }) => from <= this.step)?.looks ?? {};
  }

  rod(number) {
    const first = 6 * (this.step * this.lane.rods.length + number);
    return [[...this.ends.subarray(first, first + 3)], [...this.ends.subarray(first + 3, first + 6)]];
  }

  flex({ start, count }) {
    const first = 3 * (this.step * this.flexCount + start);
    return this.vertices.subarray(first, first + 3 * count);
  }
}
