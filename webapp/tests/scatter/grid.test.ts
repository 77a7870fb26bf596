import { expect, test } from "vitest";
import { Grid } from "../../src/scatter/grid";
import { random, randomMask, randomPoints } from "./random";

function bruteForce(xy: Uint16Array, x: number, y: number, reach: number, visible: Uint8Array | null): number | null {
  let best: number | null = null;
  let least = reach * reach;
  for (let row = 0; row < xy.length / 2; row++) {
    if (xy[2 * row] === 65535 || (visible && !visible[row])) continue;
    const far = (xy[2 * row] - x) ** 2 + (xy[2 * row + 1] - y) ** 2;
    if (far < least || (far === least && best === null)) [best, least] = [row, far];
  }
  return best;
}

test("the grid finds the point that brute force finds, also outside the scale and under a filter", () => {
  const next = random(3);
  for (let round = 0; round < 60; round++) {
    const count = 1 + Math.floor(next() * 2000);
    const xy = randomPoints(next, count);
    const grid = new Grid(xy);
    const visible = round % 2 ? randomMask(next, count) : null;
    for (let click = 0; click < 20; click++) {
      const [x, y, reach] = [next() * 80000 - 7000, next() * 80000 - 7000, next() ** 3 * 30000];
      expect(grid.nearest(x, y, reach, visible)).toBe(bruteForce(xy, x, y, reach, visible));
    }
  }
});

test("of points in one place the lowest shown row is found", () => {
  const grid = new Grid(Uint16Array.from([65535, 65535, 5, 5, 5, 5, 5, 5]));
  expect(grid.nearest(6, 6, 10, null)).toBe(1);
  expect(grid.nearest(6, 6, 10, Uint8Array.from([1, 0, 1, 1]))).toBe(2);
});

test("a map on which nothing is finds nothing", () => {
  expect(new Grid(new Uint16Array(0)).nearest(1, 1, 1e6, null)).toBeNull();
  expect(new Grid(Uint16Array.from([65535, 65535])).nearest(65535, 65535, 1e6, null)).toBeNull();
});
