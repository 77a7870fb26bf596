import { expect, test } from "vitest";
import { rowsInside } from "../../src/scatter/lasso";
import { random, randomMask, randomPoints } from "./random";

/** Crossings of the ray from each point to the right with every edge. */
function bruteForce(xy: Uint16Array, visible: Uint8Array | null, polygon: number[]): number[] {
  const rows: number[] = [];
  const corners = polygon.length / 2;
  for (let row = 0; row < xy.length / 2; row++) {
    const [x, y] = [xy[2 * row], xy[2 * row + 1]];
    if (x === 65535 || (visible && !visible[row])) continue;
    let inside = false;
    for (let i = 0, j = corners - 1; i < corners; j = i++) {
      const [xi, yi, xj, yj] = [polygon[2 * i], polygon[2 * i + 1], polygon[2 * j], polygon[2 * j + 1]];
      if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
    }
    if (inside) rows.push(row);
  }
  return rows;
}

test("a lasso holds what brute force finds, whatever its shape and whatever is filtered away", () => {
  const next = random(7);
  for (let round = 0; round < 300; round++) {
    const xy = randomPoints(next, 200);
    const visible = round % 3 ? randomMask(next, 200) : null;
    const corners = 3 + Math.floor(next() * (round % 2 ? 8 : 200));
    // Some corners lie outside the scale, and coordinates are not whole, as the pointer gives them.
    const polygon = Array.from({ length: 2 * corners }, () => (next() * 1.4 - 0.2) * 65535);
    expect([...rowsInside(xy, visible, polygon)]).toEqual(bruteForce(xy, visible, polygon));
  }
});

test("a path that crosses itself is even-odd: its doubled middle is outside", () => {
  const star = [50, 100, 80, 10, 5, 65, 95, 65, 20, 10];
  expect([...rowsInside(Uint16Array.from([50, 50, 50, 90]), null, star)]).toEqual([1]);
});

test("a box holds points on its left and lower sides, and not those on the other two", () => {
  const corners = Uint16Array.from([10, 10, 20, 10, 10, 20, 20, 20, 15, 15]);
  expect([...rowsInside(corners, null, [10, 10, 20, 10, 20, 20, 10, 20])]).toEqual([0, 4]);
});

test("a line and a point hold nothing", () => {
  expect([...rowsInside(Uint16Array.from([1, 1]), null, [0, 0, 2, 2])]).toEqual([]);
  expect([...rowsInside(Uint16Array.from([1, 1]), null, [0, 1, 2, 1, 5, 1])]).toEqual([]);
});
