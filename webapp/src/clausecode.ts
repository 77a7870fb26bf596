/** Clauses as words of an address, in pieces between "~": "is~label~0.3", "in~confidence~0.5~1", "text~cat", "rows~gDA". */

import type { Clause } from "./filters";
import { decodeRows, encodeRows } from "./rowcode";

/** Words in which the letters that part the address stand for nothing else. */
export function escapePiece(words: string): string {
  return encodeURIComponent(words).replace(
    /[~!*'()]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export function encodeClause(clause: Clause): string {
  return piecesOf(clause).map(escapePiece).join("~");
}

function piecesOf(clause: Clause): string[] {
  if (clause.kind === "is") return ["is", clause.column, clause.values.map((value) => value ?? "none").join(".")];
  if (clause.kind === "within") return ["in", clause.column, String(clause.low), String(clause.high)];
  return clause.kind === "text" ? ["text", clause.text] : ["rows", encodeRows(clause.rows)];
}

/** The clause; null where the words are none. */
export function decodeClause(code: string): Clause | null {
  const pieces = piecesIn(code);
  if (!pieces) return null;
  const [kind, ...given] = pieces;
  if (kind === "is" && given.length === 2) return decodeIs(given[0], given[1]);
  if (kind === "in" && given.length === 3) return decodeWithin(given[0], given[1], given[2]);
  if (kind === "text" && given.length === 1 && given[0]) return { kind: "text", text: given[0] };
  return kind === "rows" && given.length === 1 ? decodeRowsClause(given[0]) : null;
}

function piecesIn(code: string): string[] | null {
  try {
    return code.split("~").map(decodeURIComponent);
  } catch {
    return null;
  }
}

function decodeIs(column: string, words: string): Clause | null {
  const values = words.split(".");
  if (!values.every((value) => value === "none" || /^-?\d+$/.test(value))) return null;
  return { kind: "is", column, values: values.map((value) => (value === "none" ? null : Number(value))) };
}

function decodeWithin(column: string, from: string, to: string): Clause | null {
  const [low, high] = [from, to].map((words) => (words === "" ? NaN : Number(words)));
  return Number.isFinite(low) && Number.isFinite(high) && low <= high ? { kind: "within", column, low, high } : null;
}

function decodeRowsClause(code: string): Clause | null {
  const rows = decodeRows(code);
  return rows && { kind: "rows", rows };
}
