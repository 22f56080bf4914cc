"use strict";

// Arrays out of one run of bytes, as blob.py puts them there.

const TYPES = {
  u8: Uint8Array, i8: Int8Array, u16: Uint16Array, i16: Int16Array,
  u32: Uint32Array, i32: Int32Array, f32: Float32Array,
};

/** The array that a reference names, as a typed array in C order; its shape is the reference's. */
function arrayIn(bytes, { at, type, shape, overTime }) {
  const length = shape.reduce((product, side) => product * side, 1);
  const Type = TYPES[type];
  const size = Type.BYTES_PER_ELEMENT;
  const from = bytes.byteOffset + at;
  if (!overTime) return new Type(bytes.buffer.slice(from, from + length * size));
  return summed(new Uint8Array(bytes.buffer, from, length * size), Type, shape[0]);
}

/** Undo differences along the first axis, which are stored column by column in byte planes. */
function summed(planes, Type, rows) {
  const length = planes.length / Type.BYTES_PER_ELEMENT;
  const columns = length / rows;
  const whole = new Uint32Array(length);
  for (let place = 0; place < Type.BYTES_PER_ELEMENT; place++) {
    for (let i = 0; i < length; i++) whole[i] |= planes[place * length + i] << (8 * place);
  }
  const result = new Type(length);
  // Floats are added up as the whole numbers that their bits are.
  const sums = Type === Float32Array ? new Uint32Array(result.buffer) : result;
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      sum = (sum + whole[column * rows + row]) >>> 0;
      sums[row * columns + column] = sum;
    }
  }
  return result;
}

/** Bytes of base64 text that were deflated. */
async function inflated(base64) {
  const packed = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
