import { expect, test } from "vitest";
import { areTold, classColors, divergingColors, orderedColors } from "../src/palette";

/** CIE L*a*b*, as eyes with all cones, or without those for long or middle waves (Viénot, Brettel and Mollon, 1999), have it. */
function lab(color: string, eyes: "all" | "protan" | "deutan"): number[] {
  const linear = [1, 3, 5].map((place) => ((parseInt(color.slice(place, place + 2), 16) / 255 + 0.055) / 1.055) ** 2.4);
  const [r, g, b] = eyes === "all" ? linear : dichromat(linear, eyes);
  const xyz = [
    0.4124 * r + 0.3576 * g + 0.1805 * b,
    0.2126 * r + 0.7152 * g + 0.0722 * b,
    0.0193 * r + 0.1192 * g + 0.9505 * b,
  ];
  const [x, y, z] = xyz.map((value, place) => Math.cbrt(Math.max(1e-6, value / [0.9505, 1, 1.089][place])));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function dichromat([r, g, b]: number[], eyes: "protan" | "deutan"): number[] {
  const mixed = eyes === "protan" ? 0.11238 * r + 0.88762 * g : 0.29275 * r + 0.70725 * g;
  const blue = eyes === "protan" ? 0.00401 * r - 0.00401 * g + b : -0.02234 * r + 0.02234 * g + b;
  return [mixed, mixed, blue];
}

function leastDifference(colors: string[], eyes: "all" | "protan" | "deutan"): number {
  const seen = colors.map((color) => lab(color, eyes));
  const pairs = seen.flatMap((a, place) =>
    seen.slice(place + 1).map((b) => Math.hypot(...a.map((value, axis) => value - b[axis]))),
  );
  return Math.min(...pairs);
}

test.each(["all", "protan", "deutan"] as const)("the colours of eight classes can be told apart by %s", (eyes) => {
  expect(leastDifference(classColors(8), eyes)).toBeGreaterThan(eyes === "all" ? 20 : 9);
});

test.each(["all", "protan", "deutan"] as const)("the colours of ten classes can be told apart by %s", (eyes) => {
  expect(leastDifference(classColors(10), eyes)).toBeGreaterThan(eyes === "all" ? 15 : 9);
});

test.each(["all", "protan", "deutan"] as const)("the colours of twenty classes differ for %s", (eyes) => {
  expect(leastDifference(classColors(20), eyes)).toBeGreaterThan(eyes === "all" ? 9 : 3);
});

test("there is a colour for each class, however many; beyond twenty the page says that names tell", () => {
  expect([1, 8, 10, 20, 100, 1000].map((count) => classColors(count).length)).toEqual([1, 8, 10, 20, 100, 1000]);
  expect([areTold(20), areTold(21)]).toEqual([true, false]);
  expect(classColors(1000).every((color) => /^#[0-9a-f]{6}$/.test(color))).toBe(true);
});

test("colours of numbers get lighter step by step", () => {
  for (const dark of [false, true]) {
    const lightness = orderedColors(64, dark).map((color) => lab(color, "all")[0]);
    expect(lightness.every((value, place) => place === 0 || value > lightness[place - 1])).toBe(true);
  }
});

test("zero is grey between two hues", () => {
  expect(divergingColors(7)[3]).toBe("#b4b4b4");
});
