// Reads a file of the safetensors format (https://github.com/huggingface/safetensors): 8 bytes with
// the header's length, the header as JSON (which array is where), then the arrays' bytes.

const READERS = {
  F16: { bytes: 2, at: (view, position) => float16(view.getUint16(position, true)) },
  U8: { bytes: 1, at: (view, position) => view.getUint8(position) },
  I32: { bytes: 4, at: (view, position) => view.getInt32(position, true) },
};

/** The value of a 16-bit float: 1 bit sign, 5 bits exponent, 10 bits fraction. */
export function float16(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = (bits & 0x3ff) / 1024;
  if (exponent === 0) return sign * 2 ** -14 * fraction; // close to 0, no leading 1
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * 2 ** (exponent - 15) * (1 + fraction);
}

/** The arrays of a file by name, its notes, and its size in bytes. */
export function parse(buffer) {
  const view = new DataView(buffer);
  const start = 8 + Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(buffer.slice(8, start)));
  const { __metadata__: notes = {}, ...entries } = header;
  const arrays = {};
  for (const [name, { dtype, data_offsets }] of Object.entries(entries)) {
    const { bytes, at } = READERS[dtype];
    const [from, to] = data_offsets;
    arrays[name] = Float64Array.from({ length: (to - from) / bytes }, (_, i) =>
      at(view, start + from + i * bytes),
    );
  }
  return { arrays, notes, bytes: buffer.byteLength };
}

export async function load(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: the server answers ${response.status}`);
  return parse(await response.arrayBuffer());
}
