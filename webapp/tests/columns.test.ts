import { describe, expect, test } from "vitest";
import { numbersIn, wordsIn } from "../src/arrays";
import { choiceCodes, countBins, countChoices, fieldOf, rankOf, valueAt, wordsAt } from "../src/columns";
import { csvOf } from "../src/csv";
import { keep, orderOf, orderOfWords } from "../src/order";
import { confidenceWords, counted, numberWords, percentWords } from "../src/words";
import { column, draws, fieldsOf, IDS, MANIFEST } from "./made";

const FIELDS = fieldsOf();
const ALL = new Uint8Array(MANIFEST.count).fill(1);

describe("arrays of a pack", () => {
  test("begin where the note says", () => {
    const pack = Uint8Array.of(9, 9, 9, 9, 1, 0, 2, 0, 3, 0, 0, 0).buffer;
    expect(numbersIn(pack, { pack: "", dtype: "u2", shape: [3], offset: 4, bytes: 6 })).toEqual(
      Uint16Array.of(1, 2, 3),
    );
  });

  test("of words are JSON in UTF-8", () => {
    const bytes = new TextEncoder().encode('xx["a","ü"]');
    expect(wordsIn(bytes.buffer, { pack: "", dtype: "json", shape: [2], offset: 2, bytes: bytes.length - 2 })).toEqual([
      "a",
      "ü",
    ]);
  });
});

describe("columns", () => {
  test.each([
    [Uint8Array.of(1, 255), "class"],
    [Uint16Array.of(1, 65_535), "class"],
    [Int32Array.of(1, -(2 ** 31)), "whole"],
    [Float32Array.of(1, NaN), "number"],
  ] as const)("know what is not known: %s", (values, kind) => {
    const field = fieldOf(column("some", kind, [0, 2]), values, MANIFEST);
    expect([valueAt(field, 0), valueAt(field, 1), wordsAt(field, 1)]).toEqual([1, null, "not known"]);
  });

  test("of depths have the taps' names", () => {
    expect(FIELDS.depth.choices).toEqual(["stem", "layer1", "logits", "unresolved"]);
  });

  test("of many whole numbers are on a scale", () => {
    expect(FIELDS.epochs.choices).toBeNull();
  });

  test("of few whole numbers offer each of them", () => {
    const field = fieldOf(column("few", "whole", [-1, 2]), Int32Array.of(-1, 2, -(2 ** 31)), MANIFEST);
    expect([field.choices, [...choiceCodes(field)], wordsAt(field, 0)]).toEqual([
      ["-1", "0", "1", "2"],
      [0, 3, 4],
      "-1",
    ]);
  });

  test("count their choices within a mask, those not known last", () => {
    const counts = countChoices(FIELDS.label, ALL);
    const expected = [0, 1, 2, null].map(
      (value) => IDS.filter((_, row) => valueAt(FIELDS.label, row) === value).length,
    );
    expect([...counts]).toEqual(expected);
  });

  test("count every known value in some interval", () => {
    const { counts, unknown } = countBins(FIELDS.confidence, ALL, 7);
    expect(counts.reduce((sum, count) => sum + count) + unknown).toBe(MANIFEST.count);
    expect(unknown).toBe(IDS.filter((_, row) => valueAt(FIELDS.confidence, row) === null).length);
  });

  test.each(["confidence", "depth", "epochs"])("rank from the hard end, or from the largest: %s", (name) => {
    const field = FIELDS[name];
    const values = IDS.map((_, row) => valueAt(field, row)).filter((value) => value !== null);
    for (let row = 0; row < 40; row++) {
      const own = valueAt(field, row);
      const beyond = values.filter((value) => (name === "confidence" ? value < own! : value > own!)).length;
      const expected =
        own === null ? null : { beyond, same: values.filter((value) => value === own).length, of: values.length };
      expect(rankOf(field, row)).toEqual(expected);
    }
  });
});

describe("orders", () => {
  test.each([false, true])("are stable, with unknown values last; descending: %s", (descending) => {
    const next = draws(2);
    const values = Float32Array.from({ length: 500 }, () => (next() < 0.1 ? NaN : Math.round(20 * (next() - 0.5))));
    const sign = descending ? -1 : 1;
    const expected = [...values.keys()].sort((a, b) => {
      if (Number.isNaN(values[a]) || Number.isNaN(values[b]))
        return Number(Number.isNaN(values[a])) - Number(Number.isNaN(values[b])) || a - b;
      return sign * (values[a] - values[b]) || a - b;
    });
    expect([...orderOf(values, descending)]).toEqual(expected);
  });

  test("take classes, whole numbers and infinities", () => {
    expect([...orderOf(Uint8Array.of(3, 255, 0, 3), true)]).toEqual([0, 3, 2, 1]);
    expect([...orderOf(Int32Array.of(5, -7, -(2 ** 31), 0), false)]).toEqual([1, 3, 0, 2]);
    expect([...orderOf(Float32Array.of(Infinity, 1, -Infinity, NaN), true)]).toEqual([0, 1, 2, 3]);
  });

  test("of words are those of the words", () => {
    expect([...orderOfWords(["b", "a", "b", ""], false)]).toEqual([3, 1, 0, 2]);
  });

  test("are kept where a mask holds rows back", () => {
    expect([...keep(Uint32Array.of(3, 1, 0, 2), Uint8Array.of(1, 0, 1, 1))]).toEqual([3, 0, 2]);
  });
});

test("CSV holds words with commas, and no formula", () => {
  const label = fieldOf(column("label", "class", [0, 1]), Uint8Array.of(0, 1, 255), {
    ...MANIFEST,
    classes: ['a "b", c', "=1+1"],
  });
  const margin = fieldOf(column("margin", "number", [-1, 1]), Float32Array.of(-0.5, NaN, 1), MANIFEST);
  expect(csvOf([0, 1, 2], ["x", "@y", "z"], [label, margin])).toBe(
    'id,label,margin\r\nx,"a ""b"", c",-0.5\r\n\'@y,\'=1+1,\r\nz,,1\r\n',
  );
});

test("numbers are short and counts agree with their noun", () => {
  expect([0.12345, 12.345, -0.5, 1e-5, 1234, 2e7].map(numberWords)).toEqual([
    "0.123",
    "12.35",
    "−0.500",
    "1.00e−5",
    "1,234",
    "20M",
  ]);
  expect([percentWords(0.5), confidenceWords(0.995), confidenceWords(0.9999), confidenceWords(1)]).toEqual([
    "50 %",
    "99.5 %",
    "99.9 %",
    "100 %",
  ]);
  expect([counted(1, "example"), counted(2000, "example")]).toEqual(["1 example", "2,000 examples"]);
});
