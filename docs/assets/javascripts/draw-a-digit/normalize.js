// The way from ink on paper to an image as MNIST has it: cut out the ink, scale it into a box of
// 20 x 20 pixels, move its centre of mass to the middle of 28 x 28 pixels. MNIST's own digits come
// back as they are.

export const SIZE = 28;
const BOX = 20;
const MIDDLE = 14; // the pixel, counted from 0, on which MNIST's centres of mass lie

/** The smallest rectangle with all ink. */
function boundingBox(ink, width) {
  let [left, top, right, bottom] = [width, width, -1, -1];
  for (let y = 0; y < width; y++) {
    for (let x = 0; x < width; x++) {
      if (ink[width * y + x] === 0) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return right < 0 ? null : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** The means of a line over 20 stretches of a length; there is paper where the line has ended. */
function means(line, length) {
  return Float64Array.from({ length: BOX }, (_, i) => {
    const from = i * length;
    const to = Math.min(from + length, line.length);
    let sum = 0;
    for (let j = Math.floor(from); j < to; j++) {
      sum += line[j] * (Math.min(j + 1, to) - Math.max(j, from));
    }
    return sum / length;
  });
}

/** The ink within a box as 20 x 20 pixels, each the mean of the square that it covers. */
function scale(ink, width, box) {
  const side = Math.max(box.width, box.height) / BOX;
  const rows = Array.from({ length: box.height }, (_, y) => {
    const start = width * (box.y + y) + box.x;
    return means(ink.subarray(start, start + box.width), side);
  });
  const scaled = new Float64Array(BOX * BOX);
  for (let x = 0; x < BOX; x++) {
    const column = means(rows.map((row) => row[x]), side);
    column.forEach((value, y) => (scaled[BOX * y + x] = value));
  }
  return scaled;
}

function centreOfMass(image) {
  let [mass, x, y] = [0, 0, 0];
  image.forEach((value, index) => {
    mass += value;
    x += value * (index % BOX);
    y += value * Math.floor(index / BOX);
  });
  return { x: x / mass, y: y / mass };
}

/** `x` (784,) of a square sheet of ink in 0..1, and the steps on the way: the ink's `box`, the
 * `scaled` ink, and where it is `placed`. Without ink there is neither box nor place. */
export function normalize(ink, width) {
  const x = new Float64Array(SIZE * SIZE);
  const box = boundingBox(ink, width);
  if (box === null) return { box, scaled: new Float64Array(BOX * BOX), x };
  const scaled = scale(ink, width, box);
  const centre = centreOfMass(scaled);
  // Whole pixels: nothing is blurred a second time. A straight stroke has its centre right between
  // two pixels; a tie goes to the upper left, or errors of rounding would decide it.
  const right = Math.round(MIDDLE - centre.x - 1e-6);
  const down = Math.round(MIDDLE - centre.y - 1e-6);
  scaled.forEach((value, index) => {
    const column = (index % BOX) + right;
    const row = Math.floor(index / BOX) + down;
    if (Math.min(column, row) >= 0 && Math.max(column, row) < SIZE) x[SIZE * row + column] = value;
  });
  return { box, scaled, placed: { x: right, y: down, width: BOX, height: BOX }, x };
}
