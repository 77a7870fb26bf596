import { expect, test } from "vitest";
import { columnsFor, linesInView, scrollFor } from "../src/virtual";

test("lines in view are those of the window and a few around it", () => {
  expect(linesInView(0, 100, 20, 1000, 2)).toEqual({ first: 0, end: 7 });
  expect(linesInView(400, 100, 20, 1000, 2)).toEqual({ first: 18, end: 27 });
  expect(linesInView(19_950, 100, 20, 1000, 2)).toEqual({ first: 995, end: 1000 });
});

test("a list that became short has no lines where it was scrolled to", () => {
  expect(linesInView(9000, 100, 20, 3, 2)).toEqual({ first: 3, end: 3 });
  expect(linesInView(0, 100, 20, 0, 2)).toEqual({ first: 0, end: 0 });
});

test("every place that is scrolled to shows every line that is there", () => {
  for (let top = 0; top < 2000; top += 7) {
    const { first, end } = linesInView(top, 130, 20, 100, 0);
    for (let line = 0; line < 100; line++)
      if (20 * line < top + 130 && 20 * line + 20 > top) expect(line >= first && line < end).toBe(true);
  }
});

test("scrolling goes no further than a line needs", () => {
  expect(scrollFor(5, 100, 200, 20)).toBe(100);
  expect(scrollFor(2, 100, 200, 20)).toBe(40);
  expect(scrollFor(20, 100, 200, 20)).toBe(220);
  expect(scrollFor(20, 100, 200, 20, 36)).toBe(256);
});

test("columns fill the width; there is always one", () => {
  expect([columnsFor(100, 20, 5), columnsFor(94, 20, 5), columnsFor(10, 20, 5)]).toEqual([4, 3, 1]);
});
