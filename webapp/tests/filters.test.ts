import { describe, expect, test } from "vitest";
import { valueAt, wordsAt } from "../src/columns";
import { countOf, maskOf, maskOfRows, withColumn, type Clause } from "../src/filters";
import { draws, fieldsOf, IDS, MANIFEST, subject } from "./made";

const FIELDS = fieldsOf();

function rowsOf(mask: Uint8Array): Uint32Array {
  return Uint32Array.from(mask.keys()).filter((row) => mask[row] === 1);
}

/** The same, row by row and slowly. */
function meets(clause: Clause, row: number): boolean {
  if (clause.kind === "is") return clause.values.includes(valueAt(FIELDS[clause.column], row));
  if (clause.kind === "rows") return [...clause.rows].includes(row);
  if (clause.kind === "text")
    return [IDS[row], wordsAt(FIELDS.label, row)].some((words) =>
      words.toLowerCase().includes(clause.text.toLowerCase()),
    );
  const value = valueAt(FIELDS[clause.column], row);
  return value !== null && value >= clause.low && value <= clause.high;
}

function drawClause(next: () => number): Clause {
  const kind = Math.floor(5 * next());
  if (kind === 0) return { kind: "is", column: "label", values: [Math.floor(3 * next()), null] };
  if (kind === 1) return { kind: "within", column: "confidence", low: 0.6 * next(), high: 0.6 + 0.4 * next() };
  if (kind === 2) return { kind: "within", column: "epochs", low: 100, high: Math.floor(900 * next()) };
  if (kind === 3) return { kind: "text", text: ["0", "HORSE", "ca", "test/01", "dog"][Math.floor(5 * next())] };
  return { kind: "rows", rows: Uint32Array.from({ length: 90 }, (_, row) => 2 * row) };
}

describe("masks", () => {
  test("are what a row by row search finds", () => {
    const next = draws(1);
    for (let trial = 0; trial < 300; trial++) {
      const clauses = Array.from({ length: 1 + Math.floor(3 * next()) }, () => drawClause(next));
      const mask = maskOf(clauses, subject());
      const expected = IDS.map((_, row) => Number(clauses.every((clause) => meets(clause, row))));
      expect([...mask]).toEqual(expected);
    }
  });

  test("of no clause hold every row", () => {
    expect(countOf(maskOf([], subject()))).toBe(MANIFEST.count);
  });

  test("of a column that is not here yet hold none", () => {
    const clauses: Clause[] = [{ kind: "is", column: "later", values: [1] }];
    expect(countOf(maskOf(clauses, subject()))).toBe(0);
  });

  test("of values that are not known hold exactly those", () => {
    const mask = maskOf([{ kind: "is", column: "epochs", values: [null] }], subject());
    expect(rowsOf(mask)).toEqual(Uint32Array.from(IDS.keys()).filter((row) => valueAt(FIELDS.epochs, row) === null));
  });

  test("and rows are each other's inverse", () => {
    const rows = Uint32Array.of(0, 3, 199);
    expect(rowsOf(maskOfRows(rows, 200))).toEqual(rows);
  });

  test("of rows beyond the last leave them out", () => {
    expect(rowsOf(maskOfRows([1, 200, 5000], 200))).toEqual(Uint32Array.of(1));
  });
});

describe("a column's clause", () => {
  const label: Clause = { kind: "is", column: "label", values: [1] };
  const text: Clause = { kind: "text", text: "a" };
  const other: Clause = { kind: "is", column: "label", values: [2] };

  test("takes the place of the one before", () => {
    expect(withColumn([label, text], "label", other)).toEqual([other, text]);
  });

  test("comes last where there was none", () => {
    expect(withColumn([text], "label", other)).toEqual([text, other]);
  });

  test("goes where null is given", () => {
    expect(withColumn([label, text], "label", null)).toEqual([text]);
  });
});
