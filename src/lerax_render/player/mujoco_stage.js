// A stage on which MuJoCo's models move.

// What is given up, step by step, where a picture takes too long.
const LEVELS = [
  { ratio: 1, samples: 4, shadow: 2048 },
  { ratio: 1, samples: 0, shadow: 1024 },
  { ratio: 0.75, samples: 0, shadow: 512 },
  { ratio: 0.5, samples: 0, shadow: 256 },
  { ratio: 0.35, samples: 0, shadow: 256, bare: true },
];
const SLOW_MS = 40;
const QUICK_MS = 12;
// So many quick pictures in a row, and more is tried again.
const PATIENCE = 30;

class MujocoStage {
  onchange = () => {};
  onlost = () => {};

  constructor(canvas, scene, bytes) {
    const gl = canvas.getContext("webgl2", { antialias: false, stencil: true, powerPreference: "high-performance" });
    if (!gl) throw new Error("this browser has no WebGL 2");
    Object.assign(this, { canvas, scene, bytes, gl });
    this.ends = new AbortController();
    canvas.addEventListener("webglcontextlost", () => this.onlost(), { signal: this.ends.signal });
    this.items = new Items(gl, scene, bytes);
    this.painter = new Painter(gl, scene);
    this.samples = new Samples(gl);
    this.picked = new Samples(gl);
    this.lanes = [];
    Object.assign(this, { step: 0, level: 1, quick: 0, width: 1, height: 1, pixelRatio: 1 });
    this.switches = { hidden: false, sites: true, tendons: true, shadows: true, mirrors: true };
  }

  addLane(lane) {
    this.lanes.push(new Places(this.bytes, lane));
    if (this.lanes.length > 1) return;
    this.sight = new View(this.scene, this.lanes[0]);
    const changed = () => this.onchange();
    this.turning = new Turning(this.canvas, this.sight, changed, (x, y) => this.follow(x, y));
  }

  resize(width, height, pixelRatio) {
    Object.assign(this, { width, height, pixelRatio });
  }

  draw(step, { fast = false } = {}) {
    this.step = step;
    for (const lane of this.lanes) lane.go(step);
    if (!fast) return this.paint(LEVELS[0]);
    const { gl } = this;
    const begun = performance.now();
    this.paint(LEVELS[this.level]);
    // Only what is read back is certain to have been painted.
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    const took = performance.now() - begun;
    this.quick = took < QUICK_MS ? this.quick + 1 : 0;
    if (took > SLOW_MS && this.level < LEVELS.length - 1) this.level++;
    else if (this.quick > PATIENCE && this.level > 0) {
      this.level--;
      this.quick = 0;
    }
  }

  paint({ ratio, samples, shadow, bare }) {
    const { gl, canvas, items, switches } = this;
    const scale = ratio * this.pixelRatio;
    const width = Math.max(1, Math.round(this.width * scale));
    const height = Math.max(1, Math.round(this.height * scale));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const frame = () => {
      if (samples) this.samples.bind(width, height, samples);
      else gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    };
    const camera = this.sight.now;
    this.painter.paint({
      ...this.drawn(camera, height),
      lights: this.lights(camera),
      images: items.images,
      frame,
      width,
      height,
      shadowSize: switches.shadows && !bare ? shadow : 0,
      mirrors: switches.mirrors && !bare,
    });
    if (samples) this.samples.resolve(width, height);
  }

  /** What is drawn at this step from a camera. */
  drawn(camera, height) {
    const { items, lanes } = this;
    const all = items.of(lanes, (look) => this.shows(look));
    return { camera, items: [...items.seenFrom(all, camera, height), ...items.ground(lanes[0], camera)] };
  }

  shows({ object, group }) {
    const { hidden, sites, tendons } = this.switches;
    if (object[0] === SITE && !sites) return false;
    if (object[0] === TENDON && !tendons) return false;
    return group < 3 || hidden;
  }

  lights({ eye, forward }) {
    return this.scene.lights.map((light) => {
      if (light.headlight) return { ...light, place: eye, along: forward };
      const { at, turn } = this.lanes[0].frames[light.frame];
      const place = plus(at, rotated(turn, light.at));
      return { ...light, place, along: unit(rotated(turn, light.direction)) };
    });
  }

  /** Numbers of the items that pixels show, from 1, row by row from below. */
  identify(width, height, x = 0, y = 0, across = width, up = height) {
    const { gl } = this;
    const camera = this.sight.now;
    const { items } = this.drawn(camera, height);
    const frame = () => this.picked.bind(width, height, 0);
    this.painter.identify({ items, camera, width, height, frame });
    const pixels = new Uint8Array(4 * across * up);
    gl.readPixels(x, y, across, up, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    const numbers = Uint32Array.from({ length: across * up }, (_, i) => {
      return pixels[4 * i] + 256 * pixels[4 * i + 1] + 65536 * pixels[4 * i + 2];
    });
    return { numbers, items };
  }

  /** Look at the body at a place in the picture; at what stands still, stop going along. */
  follow(x, y) {
    const [width, height] = [Math.round(this.width), Math.round(this.height)];
    const { numbers, items } = this.identify(width, height, Math.round(x), height - 1 - Math.round(y), 1, 1);
    const item = items[numbers[0] - 1];
    this.sight.follow(item && item.frame > 0 && item.frame < this.scene.bodies.length ? item.frame : NOTHING);
    this.onchange();
  }

  get cameras() {
    return ["", ...this.scene.cameras.map(({ name }) => name)];
  }

  get view() {
    return this.sight.text;
  }

  get likeness() {
    return this.sight.likeness;
  }

  setView(text) {
    this.sight.text = text;
  }

  reset() {
    this.sight.reset();
  }

  get toggles() {
    const { looks } = this.scene;
    const rods = this.lanes.flatMap(({ lane }) => lane.rods ?? []);
    const all = [
      ["hidden", "Collision shapes", [...looks, ...rods].some(({ group }) => group >= 3)],
      ["sites", "Sites", looks.some(({ object, group }) => object[0] === SITE && group < 3)],
      ["tendons", "Tendons", rods.some(({ object, group }) => object[0] === TENDON && group < 3)],
      ["shadows", "Shadows", this.scene.lights.some(({ casts }) => casts)],
      ["mirrors", "Reflections", looks.some(({ reflectance }) => reflectance > 0)],
    ];
    const there = all.filter(([, , has]) => has);
    return there.map(([name, label]) => ({ name, label, on: this.switches[name] }));
  }

  setToggle(name, on) {
    if (name in this.switches) this.switches[name] = on;
  }

  snapshot() {
    this.draw(this.step);
    return new Promise((done) => this.canvas.toBlob(done, "image/png"));
  }

  dispose() {
    this.ends.abort();
    this.turning?.end();
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}
