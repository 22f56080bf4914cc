// MuJoCo's passes: what a mirror shows, what is solid, shadows, the sky, and what is seen through.

const EVERYWHERE = [0, 0, 0, 1];
const NO_LIGHT = -1;

class Painter {
  constructor(gl, scene) {
    Object.assign(this, { gl, scene });
    this.lit = makeProgram(gl, LIT_CORNERS, LIT_DOTS);
    this.shade = makeProgram(gl, SHADE_CORNERS, SHADE_DOTS);
    this.sky = makeProgram(gl, SKY_CORNERS, SKY_DOTS);
    this.map = new ShadowMap(gl);
    this.skyMesh = skyMesh(gl, scene.haze.slices);
    this.hazeMesh = hazeMesh(gl, scene.haze);
    this.blank = makeTexture(gl, { isCube: false, width: 1, height: 1, channels: 3, pixels: [255, 255, 255] });
    this.blankCube = makeTexture(gl, { isCube: true, width: 1, height: 1, channels: 3, pixels: Array(18).fill(255) });
  }

  /** Paint into a bound frame of some size; `images` are the scene's textures. */
  paint({ items, lights, camera, images, frame, width, height, shadowSize, mirrors }) {
    const { gl } = this;
    Object.assign(this, { items, lights, camera, images });
    this.seen = this.seenBy(camera, width / height);
    const solid = items.filter((item) => item.rgba[3] >= SOLID && !item.behind);
    this.through = items.filter((item) => !solid.includes(item));
    this.sortThrough();
    const mirror = mirrors ? solid.find((item) => item.reflectance > 0 && (item.plane || item.isBox)) : null;
    this.casting = shadowSize ? lights.flatMap((light, i) => (light.casts ? [i] : [])) : [];
    const maps = this.casting.map((i) => this.shadeOf(lights[i]));

    frame();
    gl.viewport(0, 0, width, height);
    gl.enable(gl.DEPTH_TEST);
    gl.enable(gl.CULL_FACE);
    gl.depthFunc(gl.LEQUAL);
    gl.depthMask(true);
    gl.disable(gl.BLEND);
    gl.clearColor(0, 0, 0, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT | gl.STENCIL_BUFFER_BIT);
    // The canvas stays opaque, whatever is mixed into it.
    gl.colorMask(true, true, true, false);
    if (mirror) this.paintMirrored(mirror, solid);
    const first = this.casting[0] ?? NO_LIGHT;
    const isMirror = (item) => mirror && item.look === mirror.look;
    const paintSolid = () => {
      // What it shows lies there already.
      this.adding(() => solid.filter(isMirror).forEach((item) => this.draw(item)));
      for (const item of solid) if (!isMirror(item)) this.draw(item);
    };
    if (first !== NO_LIGHT) this.paintShadows(maps[0], shadowSize, frame, width, height);
    this.begin(this.seen, camera.eye, first, first === NO_LIGHT ? null : maps[0]);
    // The others that cast shadows shine after this, each by itself.
    this.lit.set.later(this.casting.slice(1).reduce((bits, i) => bits | (1 << i), 0));
    paintSolid();
    this.casting.slice(1).forEach((light, i) => {
      this.paintShadows(maps[i + 1], shadowSize, frame, width, height);
      this.begin(this.seen, camera.eye, light, maps[i + 1]);
      this.lit.set.others(0);
      this.adding(() => solid.forEach((item) => this.draw(item)));
    });
    this.paintSky();
    this.begin(this.seen, camera.eye, NO_LIGHT, null);
    this.paintThrough(this.through);
    gl.colorMask(true, true, true, true);
  }

  seenBy({ eye, forward, up, rims, parallel }, aspect) {
    const { near, far } = this.scene;
    const [bottom, top, centre, width] = rims;
    const half = width || (aspect * (top - bottom)) / 2;
    const lens = { left: centre - half, right: centre + half, bottom, top, near, far, parallel };
    return product(projection(lens), lookAt(eye, forward, up));
  }

  /** The order in which MuJoCo draws what is seen through: by distance, planes last. */
  sortThrough() {
    const { eye } = this.camera;
    const far = ({ plane, centre, at, radius }) => (plane ? 1e10 : Math.hypot(...minus(centre ?? at, eye)) - (radius ?? 0));
    this.through.sort((a, b) => far(a) - far(b));
  }

  adding(act) {
    const { gl } = this;
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE);
    act();
    gl.disable(gl.BLEND);
  }

  /** Near to far and back, as MuJoCo does. */
  paintThrough(items) {
    const { gl } = this;
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    gl.depthMask(false);
    for (const item of [...items, ...items.toReversed()]) this.draw(item);
    gl.depthMask(true);
    gl.disable(gl.BLEND);
  }

  /** Prepare the lit program: from where, and with the shadows of which light. */
  begin(seen, eye, shadowing, shade) {
    const { gl, lights, camera } = this;
    const { program, set } = this.lit;
    gl.useProgram(program);
    set.seen(seen);
    set.eye(eye);
    set.forward(camera.forward);
    set.parallel(camera.parallel);
    set.cut(EVERYWHERE);
    set.shadowing(shadowing);
    set.others(1);
    set.later(0);
    set.shade(shade ?? new Float32Array(16));
    set.flatImage(0);
    set.cubeImage(1);
    set.shadows(2);
    set.lightCount(lights.length);
    if (lights.length) {
      const all = (part) => new Float32Array(lights.flatMap(part));
      set.lightAt(all(({ place, directional }) => [...place, directional ? 0 : 1]));
      set.lightAlong(all(({ along, cutoff }) => [...along, cutoff >= 180 ? -1 : Math.cos(cutoff * DEGREE)]));
      set.ambient(all(({ ambient }) => ambient));
      set.diffuse(all(({ diffuse }) => diffuse));
      set.specular(all(({ specular }) => specular));
      set.falloff(all(({ attenuation, exponent }) => [...attenuation, exponent]));
    }
    gl.activeTexture(gl.TEXTURE2);
    gl.bindTexture(gl.TEXTURE_2D, this.map.texture);
    this.share = 1;
    this.image(gl.TEXTURE0, gl.TEXTURE_2D, this.blank);
    this.image(gl.TEXTURE1, gl.TEXTURE_CUBE_MAP, this.blankCube);
  }

  image(place, target, texture) {
    this.gl.activeTexture(place);
    this.gl.bindTexture(target, texture);
  }

  draw(item) {
    const { gl } = this;
    const { set } = this.lit;
    const { turn, scale, at, rgba, emission, specular, shininess, mapping } = item;
    set.turn(turn);
    set.scale(scale);
    set.at(at);
    set.rgba(rgba);
    set.paint([emission, specular, shininess, this.share]);
    set.unlit(item.unlit ? 1 : 0);
    const kind = mapping ? { uv: 1, xy: 2, xyz: 3 }[mapping.by] : 0;
    set.mapping(kind);
    if (kind) {
      const texture = this.images[mapping.texture];
      if (kind === 3) this.image(gl.TEXTURE1, gl.TEXTURE_CUBE_MAP, texture);
      else this.image(gl.TEXTURE0, gl.TEXTURE_2D, texture);
      set.mappingScale([...mapping.scale, 0].slice(0, 3));
      set.mappingShift([...mapping.shift, 0]);
    }
    if (item.behind) gl.cullFace(gl.FRONT);
    item.mesh.draw();
    if (item.behind) gl.cullFace(gl.BACK);
  }

  /** What a plane, or the top of a box, shows of the others. */
  paintMirrored(mirror, solid) {
    const { gl, camera } = this;
    const normal = axis(mirror.turn, 2);
    const point = mirror.isBox ? plus(mirror.centre, times(normal, mirror.top)) : mirror.at;
    if (dot(minus(camera.eye, point), normal) < 0) return;
    this.begin(this.seen, camera.eye, NO_LIGHT, null);
    gl.enable(gl.STENCIL_TEST);
    gl.disable(gl.DEPTH_TEST);
    gl.colorMask(false, false, false, false);
    gl.stencilFunc(gl.ALWAYS, 1, 255);
    gl.stencilOp(gl.REPLACE, gl.REPLACE, gl.REPLACE);
    this.draw(mirror);
    gl.enable(gl.DEPTH_TEST);
    gl.colorMask(true, true, true, false);
    gl.stencilFunc(gl.EQUAL, 1, 255);
    gl.stencilOp(gl.KEEP, gl.KEEP, gl.KEEP);
    gl.frontFace(gl.CW);
    const mirrorMatrix = mirrored(point, normal);
    const eye = minus(camera.eye, times(normal, 2 * dot(minus(camera.eye, point), normal)));
    this.begin(product(this.seen, mirrorMatrix), eye, NO_LIGHT, null);
    this.lit.set.cut([...normal, -dot(normal, point)]);
    this.share = mirror.reflectance;
    for (const item of solid) if (item.look !== mirror.look) this.draw(item);
    this.paintThrough(this.through);
    this.share = 1;
    gl.frontFace(gl.CCW);
    gl.disable(gl.STENCIL_TEST);
  }

  /** How a light sees what casts shadows. */
  shadeOf({ place, along, directional, cutoff }) {
    const { near, far, shadow } = this.scene;
    const up = axis(towards(along), 0);
    if (!directional) {
      const rim = Math.tan((Math.min(2 * cutoff * shadow.scale, 160) / 2) * DEGREE);
      const lens = { left: -rim, right: rim, bottom: -rim, top: rim, near, far };
      return product(projection(lens), lookAt(place, along, up));
    }
    const { from, size } = this.fitted(place, along);
    const lens = { left: -size, right: size, bottom: -size, top: size, near, far, parallel: true };
    return product(projection(lens), lookAt(from, along, up));
  }

  /** The map of a directional light lies over what casts shadows, where it gets smaller by that. */
  fitted(place, along) {
    const { clip } = this.scene.shadow;
    const casters = this.items.filter(({ casts }) => casts);
    const widest = casters.some((item) => item.surface || (item.plane && item.plane.some(Boolean)));
    if (widest || !casters.length) return { from: place, size: clip };
    const corner = (least, sign) => [0, 1, 2].map((k) => least(...casters.map(({ centre, radius }) => centre[k] + sign * radius)));
    const [low, high] = [corner(Math.min, -1), corner(Math.max, 1)];
    const size = (Math.hypot(...minus(high, low)) / 2) * 1.02;
    if (size >= clip) return { from: place, size: clip };
    const off = minus(times(plus(low, high), 0.5), place);
    return { from: plus(place, minus(off, times(along, dot(off, along)))), size };
  }

  paintShadows(shade, size, frame, width, height) {
    const { gl } = this;
    this.map.bind(size);
    // A rim stays free, or what lies at it would have a shadow without end.
    gl.viewport(1, 1, size - 2, size - 2);
    gl.clear(gl.DEPTH_BUFFER_BIT);
    gl.useProgram(this.shade.program);
    gl.disable(gl.CULL_FACE);
    gl.enable(gl.POLYGON_OFFSET_FILL);
    gl.polygonOffset(1.5, 4);
    this.drawBare(this.items.filter(({ casts }) => casts), shade);
    gl.disable(gl.POLYGON_OFFSET_FILL);
    gl.enable(gl.CULL_FACE);
    frame();
    gl.viewport(0, 0, width, height);
  }

  drawBare(items, seen, number = () => EVERYWHERE) {
    const { set } = this.shade;
    set.seen(seen);
    for (const item of items) {
      set.turn(item.turn);
      set.scale(item.scale);
      set.at(item.at);
      set.number(number(item));
      if (item.behind) this.gl.cullFace(this.gl.FRONT);
      item.mesh.draw();
      if (item.behind) this.gl.cullFace(this.gl.BACK);
    }
  }

  paintSky() {
    const { gl, scene, camera } = this;
    if (scene.sky === null) return;
    const { program, set } = this.sky;
    gl.useProgram(program);
    gl.disable(gl.CULL_FACE);
    this.image(gl.TEXTURE1, gl.TEXTURE_CUBE_MAP, this.images[scene.sky]);
    set.cubeImage(1);
    set.seen(this.seen);
    const far = 0.7 * scene.far;
    set.turn(rotation([1, 0, 0, 0]));
    set.at(camera.eye);
    set.scale([far, far, far]);
    set.haze([0, 0, 0, 0]);
    this.skyMesh.draw();
    const plane = this.items.find((item) => item.plane?.every(Boolean));
    const above = plane && dot(minus(camera.eye, plane.at), axis(plane.turn, 2));
    if (plane && above >= 0) {
      gl.enable(gl.BLEND);
      gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
      set.turn(plane.turn);
      set.scale([far, far, above]);
      set.haze([...scene.haze.colour, 1]);
      this.hazeMesh.draw();
      gl.disable(gl.BLEND);
    }
    gl.enable(gl.CULL_FACE);
  }

  /** Paint numbers instead of colours: of each item, counted from 1, in red, green and blue. */
  identify({ items, camera, width, height, frame }) {
    const { gl } = this;
    frame();
    gl.viewport(0, 0, width, height);
    gl.enable(gl.DEPTH_TEST);
    gl.enable(gl.CULL_FACE);
    gl.depthFunc(gl.LEQUAL);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.useProgram(this.shade.program);
    const number = (item) => {
      const place = items.indexOf(item) + 1;
      return [place & 255, (place >> 8) & 255, place >> 16, 255].map((byte) => byte / 255);
    };
    this.drawBare(items, this.seenBy(camera, width / height), number);
  }
}
