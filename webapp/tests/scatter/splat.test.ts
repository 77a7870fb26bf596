import { expect, test } from "vitest";
import { packed } from "../../src/scatter/palette";
import { BORDER, makeStamp, splat, type Stamp } from "../../src/scatter/splat";
import { random } from "./random";

const SIZE = 16;
const STRIDE = SIZE + 2 * BORDER;
const [WHITE, BLACK, RED] = ["#fff", "#000", "#f00"].map(packed);
const SAME = { scaleX: 1, shiftX: 0, scaleY: 1, shiftY: 0 };

function draw(places: number[][], inks: number[], stamp: Stamp) {
  const pixels = new Int32Array(STRIDE * STRIDE).fill(WHITE);
  const column = (axis: number) => Float32Array.from(places, (place) => place[axis]);
  const points = { x: column(0), y: column(1), inks: Int32Array.from(inks) };
  splat({ pixels, stride: STRIDE, rows: STRIDE }, points, 0, places.length, SAME, stamp);
  const red = (x: number, y: number) => pixels[(y + BORDER) * STRIDE + x + BORDER] & 255;
  return { pixels, at: (x: number, y: number) => pixels[(y + BORDER) * STRIDE + x + BORDER], red };
}

test("a dot of half a pixel marks exactly the pixel it falls into", () => {
  const { pixels, at } = draw([[3.7, 5.2], [0, 0]], [RED, BLACK], makeStamp(0.5, 1, STRIDE));
  expect(at(3, 5)).toBe(RED);
  expect(at(0, 0)).toBe(BLACK);
  expect(pixels.filter((pixel) => pixel !== WHITE).length).toBe(2);
});

test("half opaque dots are blended over what lies below, the later over the earlier", () => {
  const once = draw([[3, 3]], [BLACK], makeStamp(0.5, 0.5, STRIDE));
  const twice = draw([[3, 3], [3, 3]], [BLACK, BLACK], makeStamp(0.5, 0.5, STRIDE));
  const mixed = draw([[3, 3], [3, 3]], [BLACK, RED], makeStamp(0.5, 0.5, STRIDE));
  expect([once.at(3, 3), twice.at(3, 3), mixed.at(3, 3)].map((pixel) => pixel >>> 0)).toEqual([
    0xff7f7f7f, 0xff3f3f3f, 0xff3f3fbf,
  ]);
});

test("a disc is full in its middle, half covered where its edge runs, and the background outside", () => {
  const { red, at } = draw([[8.125, 8.125]], [BLACK], makeStamp(2.375, 1, STRIDE));
  expect(at(8, 8)).toBe(BLACK);
  expect(red(10, 8)).toBeGreaterThan(80);
  expect(red(10, 8)).toBeLessThan(200);
  expect(at(11, 8)).toBe(WHITE);
  expect(at(10, 10)).toBe(WHITE);
});

test("a disc weighs its area wherever in the pixel its middle lies", () => {
  const next = random(11);
  for (const radius of [0.75, 1, 1.44, 2.5, 4]) {
    for (let round = 0; round < 20; round++) {
      const { pixels } = draw([[6 + next() * 2, 6 + next() * 2]], [BLACK], makeStamp(radius, 1, STRIDE));
      const covered = pixels.reduce((sum, pixel) => sum + (255 - (pixel & 255)) / 255, 0);
      expect(Math.abs(covered / (Math.PI * radius ** 2) - 1)).toBeLessThan(0.06);
    }
  }
});

test("the rim is of its own colour and leaves the disc alone", () => {
  const stamp = makeStamp(2, 1, STRIDE, 1, RED);
  const { at } = draw([[8, 8]], [BLACK], stamp);
  const green = (pixel: number) => (pixel >>> 8) & 255;
  expect([at(7, 7), at(8, 8)]).toEqual([BLACK, BLACK]);
  expect([at(12, 8), at(8, 12)]).toEqual([WHITE, WHITE]);
  expect((at(10, 8) & 255) - green(at(10, 8))).toBeGreaterThan(100);
});

test("dots at and beyond the border are cut and touch nothing else", () => {
  const next = random(13);
  const stamp = makeStamp(5.5, 0.9, STRIDE, 1, RED);
  const places = Array.from({ length: 500 }, () => [(next() - 0.5) * 500, (next() - 0.5) * 500]);
  const { pixels } = draw([...places, [-2, -2], [SIZE + 1, SIZE + 1], [Number.NaN, 3]], Array(503).fill(BLACK), stamp);
  expect(pixels.every((pixel) => pixel >>> 24 === 255)).toBe(true);
  const far = draw([[-200, 8], [8, 900], [-40, -40]], [BLACK, BLACK, BLACK], stamp);
  expect(far.pixels.every((pixel) => pixel === WHITE)).toBe(true);
});
