import { expect, test } from "vitest";
import { hexOf, packed } from "../../src/scatter/palette";
import { Points } from "../../src/scatter/points";
import { random, randomMask, randomPoints } from "./random";

function placed(points: Points): Map<number, [number, number]> {
  points.settle();
  return new Map([...points.rows.slice(0, points.drawn)].map((row, slot) => [row, [points.x[slot], points.y[slot]]]));
}

test("what is drawn is what is on the map and shown, each once, the selected last", () => {
  const next = random(17);
  for (let round = 0; round < 50; round++) {
    const count = 1 + Math.floor(next() * 400);
    const [xy, visible, selected] = [randomPoints(next, count), randomMask(next, count), randomMask(next, count)];
    const points = new Points(count, "#ffffff");
    points.go(xy, 1);
    points.show(visible);
    points.select(selected);
    const expected = [...visible.keys()].filter((row) => visible[row] && xy[2 * row] !== 65535);
    const rows = [...points.rows.slice(0, points.drawn)];
    expect([...rows].sort((a, b) => a - b)).toEqual(expected);
    if (selected.includes(1)) expect(rows.map((row, slot) => selected[row] === Number(slot >= points.strong))).not.toContain(false);
    for (const [row, place] of placed(points)) expect(place).toEqual([xy[2 * row], xy[2 * row + 1]]);
  }
});

test("points go from where they are to where they are sent, and turn round on the way", () => {
  const points = new Points(2, "#ffffff");
  points.go(Uint16Array.of(0, 0, 100, 100), 1);
  points.go(Uint16Array.of(100, 200, 100, 100), 0);
  expect(points.placeOf(0)).toEqual({ x: 0, y: 0 });
  points.advance(0.5);
  expect(placed(points).get(0)).toEqual([50, 100]);
  points.go(Uint16Array.of(0, 0, 100, 100), 0);
  expect(points.placeOf(0)).toEqual({ x: 50, y: 100 });
  points.advance(1);
  expect(placed(points)).toEqual(new Map([[0, [0, 0]], [1, [100, 100]]]));
});

test("a point that comes onto the map appears where it is to be; one that leaves is gone", () => {
  const points = new Points(2, "#ffffff");
  points.go(Uint16Array.of(10, 10, 65535, 65535), 1);
  points.go(Uint16Array.of(65535, 65535, 30, 40), 0);
  expect(placed(points)).toEqual(new Map([[1, [30, 40]]]));
  expect([points.placeOf(0), points.placeOf(1), points.placeOf(2)]).toEqual([null, { x: 30, y: 40 }, null]);
});

test("selected points keep their colour and the others fade", () => {
  const points = new Points(2, "#ffffff");
  points.go(Uint16Array.of(1, 1, 2, 2), 1);
  points.paint(Uint8Array.of(0, 1), ["#ff0000", "#0000ff"]);
  points.select(Uint8Array.of(0, 1));
  expect([...points.rows]).toEqual([0, 1]);
  expect(points.inks[1]).toBe(packed("#0000ff"));
  expect(hexOf(points.inks[0])).not.toBe("#ff0000");
  points.select(new Uint8Array(2));
  expect([points.selected, points.drawn, points.strong]).toEqual([null, 2, 2]);
});

test("the order inside a tile does not follow the rows, and is the same each time", () => {
  const order = () => {
    const points = new Points(1000, "#ffffff");
    points.go(new Uint16Array(2000).fill(500), 1);
    return [...points.rows];
  };
  const firstHalf = order().slice(0, 500);
  const fromLowRows = firstHalf.filter((row) => row < 500).length;
  expect(Math.abs(fromLowRows - 250)).toBeLessThan(50);
  expect(order()).toEqual(order());
});

test("the nearest point on the way is found by where it is now", () => {
  const points = new Points(2, "#ffffff");
  points.go(Uint16Array.of(0, 0, 1000, 0), 1);
  points.go(Uint16Array.of(1000, 0, 0, 0), 0);
  points.advance(0.25);
  expect([points.nearest(250, 3, 10), points.nearest(750, 3, 10), points.nearest(500, 0, 10)]).toEqual([0, 1, null]);
});

test("a mask of another length is refused with what is expected", () => {
  const points = new Points(3, "#ffffff");
  expect(() => points.show(new Uint8Array(2))).toThrow("setVisible takes one value per point, 3 in all; got 2.");
});
