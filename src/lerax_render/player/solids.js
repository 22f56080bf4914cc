// Shapes out of the packed scene: triangles, grids, and what is drawn around the eye.

/** Numbers that were packed as 16-bit steps, as floats. */
function unpacked(bytes, { low, span, values }) {
  const [least, most, steps] = [low, span, values].map((reference) => arrayIn(bytes, reference));
  const columns = least.length;
  const result = new Float32Array(steps.length);
  for (let i = 0; i < steps.length; i++) {
    const column = i % columns;
    result[i] = least[column] + (steps[i] / 65535) * most[column];
  }
  return result;
}

function meshOf(gl, bytes, shape) {
  if (shape.lines) return gridMesh(gl, ...shape.lines.map((lines) => arrayIn(bytes, lines)));
  const positions = repeated(unpacked(bytes, shape.positions), arrayIn(bytes, shape.copies));
  const triangles = arrayIn(bytes, shape.triangles);
  const coordinates = shape.texcoords ? unpacked(bytes, shape.texcoords) : null;
  if (!shape.normals) return new Mesh(gl, flattened(positions, triangles));
  const normals = Float32Array.from(arrayIn(bytes, shape.normals));
  return new Mesh(gl, { positions, normals, coordinates, triangles });
}

/** Places as often as there are corners at them. */
function repeated(places, copies) {
  const positions = new Float32Array(3 * copies.reduce((sum, count) => sum + count, 0));
  let next = 0;
  copies.forEach((count, i) => {
    for (let copy = 0; copy < count; copy++, next += 3) positions.set(places.subarray(3 * i, 3 * i + 3), next);
  });
  return positions;
}

/** The same with a normal for each triangle, and no corner shared. */
function flattened(positions, triangles) {
  const corners = new Float32Array(triangles.length * 3);
  const normals = new Float32Array(triangles.length * 3);
  for (let i = 0; i < triangles.length; i += 3) {
    const places = [0, 1, 2].map((k) => positions.subarray(3 * triangles[i + k], 3 * triangles[i + k] + 3));
    const normal = unit(cross(minus(places[1], places[0]), minus(places[2], places[0])));
    places.forEach((place, k) => {
      corners.set(place, 3 * (i + k));
      normals.set(normal, 3 * (i + k));
    });
  }
  return { positions: corners, normals, triangles: Uint32Array.from(triangles.keys()) };
}

/** Two triangles for each square of a grid of corners. */
function gridTriangles(rows, columns) {
  const triangles = new Uint32Array(6 * (rows - 1) * (columns - 1));
  let next = 0;
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const [a, b] = [row * columns + column, (row + 1) * columns + column];
      triangles.set([a, b, b + 1, a, b + 1, a + 1], next);
      next += 6;
    }
  }
  return triangles;
}

function gridMesh(gl, xs, ys) {
  const positions = new Float32Array(3 * xs.length * ys.length);
  const normals = new Float32Array(positions.length);
  let next = 0;
  for (const x of xs) {
    for (const y of ys) {
      positions.set([x, y, 0], next);
      normals[next + 2] = 1;
      next += 3;
    }
  }
  return new Mesh(gl, { positions, normals, triangles: gridTriangles(xs.length, ys.length) });
}

/** A surface around z through rings of [radius, height, haziness], seen from inside. */
function ringMesh(gl, rings, slices) {
  const [positions, coordinates] = [[], []];
  for (const [radius, height, haziness] of rings) {
    for (let i = 0; i <= slices; i++) {
      const angle = (2 * Math.PI * i) / slices;
      positions.push(radius * Math.cos(angle), radius * Math.sin(angle), height);
      coordinates.push(haziness, 0);
    }
  }
  return new Mesh(gl, {
    positions: new Float32Array(positions),
    coordinates: new Float32Array(coordinates),
    triangles: gridTriangles(rings.length, slices + 1),
  });
}

const skyMesh = (gl, slices) => ringMesh(gl, [[0, -1, 0], [1, -1, 0], [1, 1, 0], [0, 1, 0]], slices);

/** MuJoCo's haze along the horizon: clear, thick at some height, and clear again. */
function hazeMesh(gl, { size, slices }) {
  const alpha = Math.atan2(1, size);
  const thick = (Math.SQRT1_2 * size * Math.sin(alpha)) / Math.sin(0.75 * Math.PI - alpha);
  const ring = (height, haziness) => [1 - size * (1 - height), height - 1, haziness];
  return ringMesh(gl, [ring(0, 0), ring(thick, 1), ring(1, 0)], slices);
}
