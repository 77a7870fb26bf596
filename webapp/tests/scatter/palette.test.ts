import { expect, test } from "vitest";
import { fadedPalette, hexOf, lightness, mixed, packed, packPalette } from "../../src/scatter/palette";
import { random } from "./random";

test("colours are packed as ImageData lays them out and come back as they were", () => {
  expect(packed("#123456") >>> 0).toBe(0xff563412);
  expect(new Uint8Array(Int32Array.of(packed("#123456")).buffer)).toEqual(Uint8Array.of(0x12, 0x34, 0x56, 0xff));
  const next = random(5);
  for (let round = 0; round < 200; round++) {
    const hex = `#${Math.floor(next() * 0x1000000).toString(16).padStart(6, "0")}`;
    expect(hexOf(packed(hex))).toBe(hex);
  }
});

test("short colours and colours with an alpha are read", () => {
  expect([packed("#fa0"), packed("#ffaa0080")]).toEqual([packed("#ffaa00"), packed("#ffaa00")]);
});

test("what is no colour is refused with what is expected", () => {
  expect(() => packed("red")).toThrow('A colour reads #rgb or #rrggbb; got "red".');
});

test("mixing goes from one end to the other", () => {
  const [black, white] = [packed("#000"), packed("#fff")];
  expect([0, 0.5, 1].map((part) => hexOf(mixed(black, white, part)))).toEqual(["#000000", "#808080", "#ffffff"]);
});

test("places past the palette are grey", () => {
  const inks = packPalette(["#ff0000"]);
  expect([0, 1, 255, 65535].map((place) => hexOf(inks[place]))).toEqual(["#ff0000", "#9a9a9a", "#9a9a9a", "#9a9a9a"]);
});

test("faded colours are nearer to the background than the bright ones", () => {
  const palette = ["#4477aa", "#ee6677", "#228833", "#000000", "#ffffff"];
  for (const background of ["#ffffff", "#14171c"].map(packed)) {
    const spread = (inks: Int32Array) => {
      const lights = [...inks.slice(0, palette.length)].map(lightness);
      return Math.max(...lights) - Math.min(...lights);
    };
    const faded = fadedPalette(packPalette(palette), background);
    expect(spread(faded)).toBeLessThan(0.2);
    expect(Math.abs(lightness(faded[0]) - lightness(background))).toBeLessThan(0.35);
  }
});
