// Turns and shifts an image of 28 x 28 pixels, after MNIST's preprocessing would have undone it.

import { SIZE } from "./normalize.js";

const MIDDLE = 14; // turned about the pixel on which the centre of mass lies

/** Each new pixel is mixed from the four that its centre fell between (bilinear interpolation). */
export function move(x, { degrees, right, down }) {
  if (degrees === 0 && right === 0 && down === 0) return x;
  const ink = (row, column) =>
    row >= 0 && row < SIZE && column >= 0 && column < SIZE ? x[SIZE * row + column] : 0;
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  return x.map((_, index) => {
    const [dx, dy] = [
      (index % SIZE) - MIDDLE - right,
      Math.floor(index / SIZE) - MIDDLE - down,
    ];
    const [column, row] = [MIDDLE + cos * dx + sin * dy, MIDDLE - sin * dx + cos * dy];
    const [left, top] = [Math.floor(column), Math.floor(row)];
    const [u, v] = [column - left, row - top];
    return (
      (1 - v) * ((1 - u) * ink(top, left) + u * ink(top, left + 1)) +
      v * ((1 - u) * ink(top + 1, left) + u * ink(top + 1, left + 1))
    );
  });
}
