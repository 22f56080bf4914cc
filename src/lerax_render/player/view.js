// Where a picture is taken from: the clip's own camera, one of the model's, or one that is turned.

const DEGREE = Math.PI / 180;
// What a turned camera goes along with: the clip's own, or the frame of that number.
const NOTHING = null;
const CLIP = -1;

class View {
  /** `places`: what knows where frames and the clip's camera are at the step that is drawn. */
  constructor(scene, places) {
    Object.assign(this, { scene, places });
    this.reset();
  }

  reset() {
    this.camera = "";
    this.free = null;
  }

  get text() {
    if (!this.free) return this.camera;
    const { azimuth, elevation, distance, target, follows } = this.free;
    const numbers = [azimuth, elevation, distance, ...target].map((number) => Number(number.toPrecision(5)));
    return [...numbers, ...(follows === NOTHING ? [] : [follows])].join(",");
  }

  set text(text) {
    const numbers = text.split(",").map(Number);
    this.reset();
    if (this.scene.cameras.some(({ name }) => name === text)) this.camera = text;
    else if (numbers.length >= 6 && numbers.every(Number.isFinite)) {
      const [azimuth, elevation, distance, x, y, z, follows = NOTHING] = numbers;
      const known = follows === NOTHING || follows === CLIP || follows in this.scene.bodies;
      this.free = { azimuth, elevation, distance, target: [x, y, z], follows: known ? follows : NOTHING };
    }
  }

  /** What makes another replay's picture look from here: the clip's own view, as one that is turned. */
  get likeness() {
    if (this.text) return this.text;
    return Object.assign(new View(this.scene, this.places), { free: this.loosened() }).text;
  }

  /** Eye, directions and rims at the step that is drawn. */
  get now() {
    if (this.free) return this.turnedNow();
    const chosen = this.scene.cameras.find(({ name }) => name === this.camera);
    if (!chosen) return this.places.eye;
    const frame = this.places.frames[chosen.frame];
    const turn = turned(frame.turn, rotation(chosen.turn));
    const { rims, parallel } = chosen;
    return {
      eye: plus(frame.at, rotated(frame.turn, chosen.at)),
      forward: times(axis(turn, 2), -1),
      up: axis(turn, 1),
      rims,
      parallel,
    };
  }

  turnedNow() {
    const { azimuth, elevation, distance, target, follows } = this.free;
    const [a, e] = [azimuth * DEGREE, elevation * DEGREE];
    const forward = [Math.cos(e) * Math.cos(a), Math.cos(e) * Math.sin(a), Math.sin(e)];
    const right = [Math.sin(a), -Math.cos(a), 0];
    const { rims, parallel } = this.places.eye;
    const looked = plus(target, this.origin(follows));
    // Where rays are parallel, coming nearer is seeing less.
    const scale = parallel ? distance / this.places.eye.distance : 1;
    return {
      eye: minus(looked, times(forward, distance)),
      forward,
      up: cross(right, forward),
      rims: rims.map((rim) => rim * scale),
      parallel,
    };
  }

  origin(follows) {
    if (follows === NOTHING) return [0, 0, 0];
    if (follows !== CLIP) return this.places.frames[follows].at;
    const { eye, forward, distance } = this.places.eye;
    return plus(eye, times(forward, distance));
  }

  /** Make what is seen now a camera that can be turned. */
  loosen() {
    this.free = this.loosened();
    this.camera = "";
    return this.free;
  }

  loosened() {
    if (this.free) return this.free;
    const { eye, forward } = this.now;
    const azimuth = Math.atan2(forward[1], forward[0]) / DEGREE;
    const elevation = Math.asin(Math.max(-1, Math.min(1, forward[2]))) / DEGREE;
    if (this.camera === "") {
      const { distance } = this.places.eye;
      return { azimuth, elevation, distance, target: [0, 0, 0], follows: CLIP };
    }
    const { centre, extent } = this.scene;
    const distance = Math.max(dot(minus(centre, eye), forward), 0.2 * extent);
    return { azimuth, elevation, distance, target: plus(eye, times(forward, distance)), follows: NOTHING };
  }

  orbit(degreesAcross, degreesUp) {
    const free = this.loosen();
    free.azimuth = ((free.azimuth + degreesAcross + 540) % 360) - 180;
    free.elevation = Math.max(-89.9, Math.min(89.9, free.elevation + degreesUp));
  }

  /** Move by shares of the picture's height. */
  pan(across, up) {
    const free = this.loosen();
    const { forward, up: above, rims, parallel } = this.now;
    const height = (rims[1] - rims[0]) * (parallel ? 1 : free.distance);
    const shift = plus(times(cross(forward, above), across * height), times(above, up * height));
    free.target = plus(free.target, shift);
  }

  zoom(factor) {
    const free = this.loosen();
    const { extent, near, far } = this.scene;
    free.distance = Math.max(2 * near, Math.min(free.distance * factor, 0.5 * far, 100 * extent));
  }

  /** Look at a body and go along with it; `NOTHING` ends that where it is. */
  follow(frame) {
    const free = this.loosen();
    free.target = frame === NOTHING ? plus(free.target, this.origin(free.follows)) : [0, 0, 0];
    free.follows = frame;
  }
}
