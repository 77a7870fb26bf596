import { describe, expect, test } from "vitest";
import { decodeAddress, encodeAddress, firstAddress, type Address } from "../src/address";
import { decodeRows, encodeRows } from "../src/rowcode";
import { draws, MANIFEST } from "./made";

const FIRST = firstAddress(MANIFEST);

function roundTrip(change: Partial<Address>): Address {
  return decodeAddress(`#${encodeAddress({ ...FIRST, ...change }, FIRST)}`, MANIFEST).address;
}

describe("an address", () => {
  test("of the first state is empty", () => {
    expect(encodeAddress(FIRST, FIRST)).toBe("");
    expect(decodeAddress("", MANIFEST)).toEqual({ address: FIRST, ignored: [] });
  });

  test("gives back every part of the state", () => {
    const change: Address = {
      tab: "table",
      method: "pca",
      tap: "stem",
      x: "depth",
      y: "epochs",
      color: "depth",
      filters: [
        { kind: "is", column: "label", values: [0, 2, null] },
        { kind: "within", column: "confidence", low: -0.25, high: 1e-7 },
        { kind: "text", text: "50 % & ~*'()!=#?/ <b>ü</b>" },
        { kind: "rows", rows: Uint32Array.of(1, 5, 199) },
      ],
      selected: Uint32Array.of(0, 2, 7),
      scope: "shown",
      row: 17,
      sort: "confidence",
      descending: true,
      columns: ["depth", "label"],
      size: 96,
      unitTap: "stem",
      unit: 3,
    };
    expect(roundTrip(change)).toEqual(change);
  });

  test("holds what a link of the contract says", () => {
    const { address, ignored } = decodeAddress(
      "#map=pca&tap=stem&color=depth&row=17&f=is~label~0.2&tab=pictures",
      MANIFEST,
    );
    expect([address.method, address.tap, address.color, address.row, address.tab]).toEqual([
      "pca",
      "stem",
      "depth",
      17,
      "pictures",
    ]);
    expect(address.filters).toEqual([{ kind: "is", column: "label", values: [0, 2] }]);
    expect(ignored).toEqual([]);
  });

  test.each([
    "row=200",
    "row=-1",
    "row=1.5",
    "map=none",
    "tap=layer9",
    "color=%",
    "color=__proto__",
    "f=is~label",
    "f=is~label~",
    "f=is~nothing~1",
    "f=in~confidence~2~1",
    "f=in~confidence~~1",
    "f=in~confidence~a~1",
    "f=text~",
    "f=rows~gé",
    "f=rows~zAA",
    "f=%E0%A4%A",
    "sel=",
    "sel=g_",
    "sel=gnH",
    "sort=nothing",
    "cols=label~nothing",
    "size=9999",
    "unit=x",
    "tab=maps",
    "scope=all",
    "word",
    "=",
    "other=1",
    "<script>=1",
  ])("leaves out what means nothing here, and says so: %s", (words) => {
    expect(decodeAddress(`#${words}&row=3`, MANIFEST)).toEqual({ address: { ...FIRST, row: 3 }, ignored: [words] });
  });

  test("is not broken by noise", () => {
    const next = draws(3);
    const letters = "#&=~.!*-%abf019<>\"' éselrowmap";
    for (let trial = 0; trial < 2000; trial++) {
      const noise = Array.from({ length: 40 }, () => letters[Math.floor(letters.length * next())]).join("");
      const { address } = decodeAddress(noise, MANIFEST);
      expect(decodeAddress(encodeAddress(address, FIRST), MANIFEST).address).toEqual(address);
    }
  });
});

describe("rows in few letters", () => {
  test.each([0, 0.001, 0.02, 0.3, 0.9, 1])("come back, whatever share is in them: %s", (share) => {
    const next = draws(5);
    const rows = Uint32Array.from({ length: 60_000 }, (_, row) => row).filter(() => next() < share);
    const code = encodeRows(rows);
    expect(decodeRows(code)).toEqual(rows);
    expect(code.length).toBeLessThanOrEqual(60_000 / 6 + 2);
  });

  test("are short where rows are few", () => {
    expect(encodeRows([3, 17, 59_999]).length).toBeLessThan(10);
  });
});
