// What is drawn at a step: meshes with places, colours and textures, in MuJoCo's order.

const GEOM = 5;
const SITE = 6;
const TENDON = 18;
const GHOST = 0.35;
// Colours of less are seen through.
const SOLID = 0.995;

class Items {
  constructor(gl, scene, bytes) {
    Object.assign(this, { gl, scene });
    this.meshes = scene.shapes.map((shape) => meshOf(gl, bytes, shape));
    this.images = scene.images.images.map(({ isCube, isSrgb, pixels }) => {
      const [rows, width, channels] = pixels.shape;
      const height = isCube ? rows / 6 : rows;
      return makeTexture(gl, { isCube, isSrgb, width, height, channels, pixels: arrayIn(bytes, pixels) });
    });
    this.newSurfaces = () => ({
      skin: scene.skins.map((skin) => new Skin(gl, bytes, skin)),
      flex: scene.flexes.map((flex) => new Flex(gl, bytes, flex)),
    });
    this.surfaces = [];
  }

  /** All that is drawn of several lanes, the first of which is no ghost. */
  of(lanes, shows) {
    this.pixel = 1;
    return lanes.flatMap((places, lane) => {
      const items = this.ofLane(places, lane, shows);
      if (!lane) return items;
      return items.filter(({ frame }) => frame !== 0).map((item) => {
        const rgba = [...item.rgba.slice(0, 3), item.rgba[3] * GHOST];
        return { ...item, rgba, reflectance: 0, casts: false };
      });
    });
  }

  ofLane(places, lane, shows) {
    const { changes, frames } = places;
    const surfaces = (this.surfaces[lane] ??= this.newSurfaces());
    const items = [];
    for (const scened of this.scene.looks) {
      const look = { ...scened, ...changes[scened.object] };
      if (!shows(look) || look.rgba[3] === 0) continue;
      if (look.surface) {
        this.addSurface(items, look, surfaces[look.surface][look.object[1]], places);
        continue;
      }
      const frame = frames[look.frame];
      const turn = turned(frame.turn, rotation(look.turn));
      const at = plus(frame.at, rotated(frame.turn, look.at));
      const common = { ...look, turn, centre: at };
      look.parts.forEach((part, i) => {
        const { scale, height } = look.scales?.[i] ?? part;
        const place = plus(at, times(axis(turn, 2), height));
        items.push({ ...common, mesh: this.meshes[part.shape], scale, at: place, look });
      });
    }
    (places.lane.rods ?? []).forEach((rod, i) => {
      if (shows(rod)) this.addRod(items, rod, ...places.rod(i));
    });
    return items;
  }

  addSurface(items, look, surface, places) {
    if (look.surface === "skin") {
      surface.update(places.frames);
    } else {
      const edges = surface.update(places.flex(surface));
      for (const ends of edges) this.addRod(items, { ...look, width: surface.radius }, ...ends);
      if (!surface.mesh) return;
    }
    const still = { frame: -1, turn: rotation([1, 0, 0, 0]), at: [0, 0, 0], scale: [1, 1, 1], centre: [0, 0, 0] };
    items.push({ ...look, ...still, mesh: surface.mesh, look });
  }

  addRod(items, rod, from, to) {
    const along = minus(to, from);
    const half = Math.hypot(...along) / 2;
    if (half === 0) return;
    const turn = towards(along);
    const centre = times(plus(from, to), 0.5);
    const { width, isLine } = rod;
    const common = { ...rod, frame: -1, turn, centre, radius: half + width, look: rod, unlit: isLine };
    const { tube, dome, bowl } = this.scene.units;
    const add = (shape, scale, height) => {
      const at = plus(centre, times(axis(turn, 2), height));
      items.push({ ...common, mesh: this.meshes[shape], scale, at });
    };
    add(tube, [width, width, half], 0);
    if (!rod.hasCaps) return;
    add(dome, [width, width, width], half - width);
    add(bowl, [width, width, width], width - half);
  }

  /** Give what depends on the eye: endless planes go along, lines are as wide everywhere. */
  seenFrom(items, { eye, forward, rims }, height) {
    return items.map((item) => {
      if (item.plane) return this.planeFrom(item, eye);
      if (!item.isLine) return item;
      const ahead = Math.max(dot(minus(item.centre, eye), forward), 1e-3);
      const width = (item.width * ahead * (rims[1] - rims[0])) / (2 * height);
      return { ...item, scale: [width, width, item.scale[2]] };
    });
  }

  planeFrom(item, eye) {
    const off = minus(eye, item.at);
    let { at } = item;
    item.plane.forEach((stride, i) => {
      const along = axis(item.turn, i);
      if (stride) at = plus(at, times(along, 2 * stride * Math.round(dot(off, along) / (2 * stride))));
    });
    const behind = dot(off, axis(item.turn, 2)) < 0;
    const { rgba } = item;
    return { ...item, at, behind, rgba: behind ? [...rgba.slice(0, 3), rgba[3] * 0.3] : rgba };
  }

  /** The ground that is laid under a model that has none. */
  ground(places, { eye, forward }) {
    const { ground, far } = this.scene;
    if (!ground || eye[2] < places.ground) return [];
    return [
      {
        object: [0, -1], frame: 0, group: 0, casts: false, mesh: this.meshes[ground.shape],
        turn: rotation([1, 0, 0, 0]), scale: [far, far, 1], at: [eye[0], eye[1], places.ground],
        rgba: [...ground.colour, 1], specular: 0, shininess: 0.5, reflectance: 0,
        emission: ground.glow - ground.fromCamera * Math.max(0, -forward[2]),
      },
    ];
  }
}
