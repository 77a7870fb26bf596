import { expect, test } from "vitest";
import { sizeFor } from "../../src/scatter/pictures";

test("pictures are as large as their places allow, and neither tiny nor huge", () => {
  const row = (gap: number) => Array.from({ length: 9 }, (_, i) => ({ x: i * gap, y: 0 }));
  expect([row(5), row(50), row(1000), row(7).slice(0, 1)].map(sizeFor)).toEqual([22, 44, 76, 76]);
});
