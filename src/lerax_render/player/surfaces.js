// Skins and flexes: surfaces whose corners move, by MuJoCo's rules for where they are.

/** Add up the triangles' normals at their corners, and give each the length 1. */
function smoothNormals(positions, triangles, stride, weighted) {
  const normals = new Float32Array(positions.length);
  const place = (i) => positions.subarray(3 * i, 3 * i + 3);
  for (let t = 0; t < triangles.length; t += stride) {
    const corners = [triangles[t], triangles[t + 1], triangles[t + 2]];
    const [a, b, c] = corners.map(place);
    let normal = cross(minus(b, a), minus(c, a));
    if (!weighted) normal = unit(normal);
    for (const i of corners) for (let k = 0; k < 3; k++) normals[3 * i + k] += normal[k];
  }
  for (let i = 0; i < normals.length; i += 3) normals.set(unit(normals.subarray(i, i + 3)), i);
  return normals;
}

class Skin {
  constructor(gl, bytes, { positions, triangles, texcoords, bones, inflate }) {
    this.rest = arrayIn(bytes, positions);
    this.triangles = arrayIn(bytes, triangles);
    this.inflate = inflate;
    this.bones = bones.map(({ frame, at, turn, corners, weights }) => ({
      frame,
      at,
      back: rotation([turn[0], -turn[1], -turn[2], -turn[3]]),
      corners: arrayIn(bytes, corners),
      weights: arrayIn(bytes, weights),
    }));
    const coordinates = texcoords && arrayIn(bytes, texcoords);
    this.mesh = new Mesh(gl, { positions: this.rest, normals: this.rest, coordinates, triangles: this.triangles });
  }

  update(frames) {
    const { rest, triangles, inflate } = this;
    const positions = new Float32Array(rest.length);
    for (const { frame, at, back, corners, weights } of this.bones) {
      const turn = turned(frames[frame].turn, back);
      const shift = minus(frames[frame].at, rotated(turn, at));
      corners.forEach((corner, i) => {
        const place = plus(rotated(turn, rest.subarray(3 * corner, 3 * corner + 3)), shift);
        for (let k = 0; k < 3; k++) positions[3 * corner + k] += weights[i] * place[k];
      });
    }
    const normals = smoothNormals(positions, triangles, 3, true);
    for (let i = 0; i < positions.length; i++) positions[i] += inflate * normals[i];
    this.mesh.replace(positions, normals);
  }
}

class Flex {
  constructor(gl, bytes, packed) {
    Object.assign(this, packed, { gl });
    this.elements = arrayIn(bytes, packed.elements);
    this.shell = arrayIn(bytes, packed.shell);
    this.texcoords = packed.texcoords && arrayIn(bytes, packed.texcoords);
    if (this.dimension > 1) this.build();
  }

  /** The corners of all triangles: numbers of vertices, and on which side of the sheet they lie. */
  build() {
    const { elements, shell, dimension, texcoords } = this;
    const [corners, sides] = [[], []];
    const add = (side, ...vertices) => {
      corners.push(...vertices);
      sides.push(...vertices.map((_, i) => (Array.isArray(side) ? side[i] : side)));
    };
    const faces = dimension === 2 ? elements : shell;
    for (let i = 0; i < faces.length; i += 3) {
      const [a, b, c] = faces.subarray(i, i + 3);
      add(1, a, b, c);
      if (dimension === 2) add(-1, a, c, b);
    }
    // The rim of a sheet: two triangles from one side to the other.
    this.rim = corners.length;
    if (dimension === 2) {
      for (let i = 0; i < shell.length; i += 2) {
        const [a, b] = shell.subarray(i, i + 2);
        add([1, -1, 1], a, b, b);
        add([-1, 1, -1], b, a, a);
      }
    }
    Object.assign(this, { corners, sides, faces });
    const coordinates = texcoords && Float32Array.from(corners.flatMap((i) => [texcoords[2 * i], texcoords[2 * i + 1]]));
    const positions = new Float32Array(3 * corners.length);
    const triangles = Uint32Array.from(corners.keys());
    this.mesh = new Mesh(this.gl, { positions, normals: positions, coordinates, triangles });
  }

  /** Take over where the vertices are; returns the ends of a rope's edges, if it is one. */
  update(vertices) {
    if (this.dimension === 1) return this.edges(vertices);
    const { corners, sides, faces, radius } = this;
    const smooth = smoothNormals(vertices, faces, 3, false);
    const positions = new Float32Array(3 * corners.length);
    const normals = new Float32Array(3 * corners.length);
    corners.forEach((corner, i) => {
      for (let k = 0; k < 3; k++) {
        normals[3 * i + k] = sides[i] * smooth[3 * corner + k];
        positions[3 * i + k] = vertices[3 * corner + k] + radius * normals[3 * i + k];
      }
    });
    const place = (i) => positions.subarray(3 * i, 3 * i + 3);
    for (let i = this.isFlat ? 0 : this.rim; i < corners.length; i += 3) {
      const normal = unit(cross(minus(place(i + 1), place(i)), minus(place(i + 2), place(i))));
      for (let k = 0; k < 3; k++) normals.set(normal, 3 * (i + k));
    }
    this.mesh.replace(positions, normals);
    return [];
  }

  edges(vertices) {
    const place = (i) => [...vertices.subarray(3 * i, 3 * i + 3)];
    const edges = [];
    for (let i = 0; i < this.elements.length; i += 2) {
      edges.push([place(this.elements[i]), place(this.elements[i + 1])]);
    }
    return edges;
  }
}
