import { expect, test } from "vitest";
import { between, pan, SPAN, toMap, toScreen, viewOf, WHOLE, zoomAbout, type Camera } from "../../src/scatter/camera";
import { random } from "./random";

function randomCamera(next: () => number): Camera {
  return { x: next() * SPAN, y: next() * SPAN, zoom: 0.5 * 100 ** next(), width: 50 + next() * 2000, height: 50 + next() * 1200 };
}

test("pixels and places on the map are each other's inverse", () => {
  const next = random(1);
  for (let round = 0; round < 200; round++) {
    const camera = randomCamera(next);
    const [x, y] = [next() * SPAN, next() * SPAN];
    const pixel = toScreen(camera, x, y);
    const back = toMap(camera, pixel.x, pixel.y);
    expect(back.x).toBeCloseTo(x, 6);
    expect(back.y).toBeCloseTo(y, 6);
  }
});

test("up on the map is up on the screen", () => {
  const camera = { ...viewOf(WHOLE, 800, 600), width: 800, height: 600 };
  expect(toScreen(camera, 0, SPAN).y).toBeLessThan(toScreen(camera, 0, 0).y);
});

test("zooming keeps what lies under the pointer, dragging takes it along", () => {
  const next = random(2);
  for (let round = 0; round < 200; round++) {
    const camera = randomCamera(next);
    const [x, y] = [next() * camera.width, next() * camera.height];
    const held = toMap(camera, x, y);
    const zoomed = { ...camera, ...zoomAbout(camera, x, y, 0.7 + next()) };
    expect(toScreen(zoomed, held.x, held.y).x).toBeCloseTo(x, 6);
    expect(toScreen(zoomed, held.x, held.y).y).toBeCloseTo(y, 6);
    const dragged = { ...camera, ...pan(camera, 12, -7) };
    expect(toScreen(dragged, held.x, held.y).x).toBeCloseTo(x + 12, 6);
    expect(toScreen(dragged, held.x, held.y).y).toBeCloseTo(y - 7, 6);
  }
});

test("a box that is shown lies inside the element, and touches its margin in one direction", () => {
  const next = random(4);
  for (let round = 0; round < 200; round++) {
    const { width, height } = randomCamera(next);
    const [left, bottom] = [next() * 30000, next() * 30000];
    const box = { left, bottom, right: left + 3000 + next() * 30000, top: bottom + 3000 + next() * 30000 };
    const camera = { ...viewOf(box, width, height), width, height };
    const [low, high] = [toScreen(camera, box.left, box.bottom), toScreen(camera, box.right, box.top)];
    const used = [(high.x - low.x) / width, (low.y - high.y) / height];
    expect(Math.max(...used)).toBeCloseTo(0.94, 6);
    expect(low.x).toBeGreaterThan(0);
    expect(high.y).toBeGreaterThan(0);
  }
});

test("the view stays within bounds, also for what a broken link gives", () => {
  const camera = { x: 1e9, y: Number.NaN, zoom: 1e9, width: 100, height: 100 };
  expect(pan(camera, 0, 0)).toEqual({ x: 2 * SPAN, y: -SPAN, zoom: 2000 });
});

test("a flight begins and ends at its views and moves steadily under the growing scale", () => {
  const from = { x: 0, y: 0, zoom: 1 };
  const to = { x: 100, y: 50, zoom: 16 };
  expect(between(from, to, 0)).toEqual(from);
  expect(between(from, to, 1)).toEqual(to);
  const middle = between(from, to, 0.5);
  expect(middle.zoom).toBeCloseTo(4);
  expect(middle.x).toBeCloseTo(80);
  expect(middle.y).toBeCloseTo(40);
});
