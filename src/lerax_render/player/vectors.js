// Vectors as arrays of three, rotations as rows of three by three, and GL's matrices of four by four.

const plus = (a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
const minus = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const times = (a, k) => [a[0] * k, a[1] * k, a[2] * k];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const unit = (a) => times(a, 1 / (Math.hypot(...a) || 1));

/** The rotation of a quaternion w, x, y, z, of any length. */
function rotation([w, x, y, z]) {
  const s = 2 / (w * w + x * x + y * y + z * z || 1);
  return [
    1 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y),
    s * (x * y + w * z), 1 - s * (x * x + z * z), s * (y * z - w * x),
    s * (x * z - w * y), s * (y * z + w * x), 1 - s * (x * x + y * y),
  ];
}

const rotated = (r, [x, y, z]) => [
  r[0] * x + r[1] * y + r[2] * z,
  r[3] * x + r[4] * y + r[5] * z,
  r[6] * x + r[7] * y + r[8] * z,
];

const axis = (r, i) => [r[i], r[3 + i], r[6 + i]];

/** One rotation after another, b first. */
function turned(a, b) {
  const columns = [0, 1, 2].map((i) => rotated(a, axis(b, i)));
  return [0, 1, 2].flatMap((row) => columns.map((column) => column[row]));
}

/** A rotation that takes z to a direction. */
function towards(direction) {
  const z = unit(direction);
  const x = unit(cross(Math.abs(z[0]) < 0.9 ? [1, 0, 0] : [0, 1, 0], z));
  const y = cross(z, x);
  return [0, 1, 2].flatMap((i) => [x[i], y[i], z[i]]);
}

function product(a, b) {
  const result = new Float32Array(16);
  for (let column = 0; column < 4; column++) {
    for (let row = 0; row < 4; row++) {
      let sum = 0;
      for (let i = 0; i < 4; i++) sum += a[4 * i + row] * b[4 * column + i];
      result[4 * column + row] = sum;
    }
  }
  return result;
}

function lookAt(eye, forward, up) {
  const f = unit(forward);
  const r = unit(cross(f, up));
  const u = cross(r, f);
  return new Float32Array([
    r[0], u[0], -f[0], 0, r[1], u[1], -f[1], 0, r[2], u[2], -f[2], 0,
    -dot(r, eye), -dot(u, eye), dot(f, eye), 1,
  ]);
}

/** What is seen between rims: tangents, or metres where rays are parallel. */
function projection({ left, right, bottom, top, near, far, parallel }) {
  const [w, h, d] = [right - left, top - bottom, far - near];
  if (parallel) {
    return new Float32Array([
      2 / w, 0, 0, 0, 0, 2 / h, 0, 0, 0, 0, -2 / d, 0,
      -(right + left) / w, -(top + bottom) / h, -(far + near) / d, 1,
    ]);
  }
  return new Float32Array([
    2 / w, 0, 0, 0, 0, 2 / h, 0, 0,
    (right + left) / w, (top + bottom) / h, -(far + near) / d, -1, 0, 0, (-2 * far * near) / d, 0,
  ]);
}

/** Seen in a mirror through a point with a normal. */
function mirrored(point, normal) {
  const [x, y, z] = normal;
  const k = 2 * dot(point, normal);
  return new Float32Array([
    1 - 2 * x * x, -2 * x * y, -2 * x * z, 0, -2 * x * y, 1 - 2 * y * y, -2 * y * z, 0,
    -2 * x * z, -2 * y * z, 1 - 2 * z * z, 0, k * x, k * y, k * z, 1,
  ]);
}
