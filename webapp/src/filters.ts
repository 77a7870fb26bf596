/** Filters: clauses that rows meet or not, as masks of a byte for each row. */

import { notKnown } from "./arrays";
import { choiceCodes, type Field } from "./columns";

export type Clause =
  /** One of these values; null: not known. */
  | { kind: "is"; column: string; values: (number | null)[] }
  /** From low to high, both included. */
  | { kind: "within"; column: string; low: number; high: number }
  /** The words are in the id, or in the name of the label. */
  | { kind: "text"; text: string }
  /** These rows, ascending. */
  | { kind: "rows"; rows: Uint32Array };

/** What clauses look at; what has not arrived yet is null, and nothing meets a clause on it. */
export interface Subject {
  count: number;
  field(name: string): Field | null;
  /** Ids in small letters. */
  ids(): string[] | null;
}

/** 1 where a row meets every clause. */
export function maskOf(clauses: readonly Clause[], subject: Subject): Uint8Array {
  const mask = new Uint8Array(subject.count).fill(1);
  for (const clause of clauses) narrow(mask, clause, subject);
  return mask;
}

export function countOf(mask: Uint8Array): number {
  let count = 0;
  for (const one of mask) count += one;
  return count;
}

export function maskOfRows(rows: ArrayLike<number>, count: number): Uint8Array {
  const mask = new Uint8Array(count);
  for (let place = 0; place < rows.length; place++) if (rows[place] < count) mask[rows[place]] = 1;
  return mask;
}

function narrow(mask: Uint8Array, clause: Clause, subject: Subject): void {
  if (clause.kind === "is") narrowToValues(mask, subject.field(clause.column), clause.values);
  else if (clause.kind === "within") narrowToRange(mask, subject.field(clause.column), clause.low, clause.high);
  else if (clause.kind === "text") narrowToText(mask, clause.text, subject);
  else narrowToRows(mask, clause.rows);
}

function narrowToValues(mask: Uint8Array, field: Field | null, values: (number | null)[]): void {
  if (!field) return void mask.fill(0);
  if (field.choices) return narrowToChoices(mask, field, field.choices.length, values);
  const wanted = new Set(values);
  const missing = notKnown(field.values);
  for (let row = 0; row < mask.length; row++) {
    const value = field.values[row];
    const known = !(Number.isNaN(value) || value === missing);
    if (!wanted.has(known ? value : null)) mask[row] = 0;
  }
}

function narrowToChoices(mask: Uint8Array, field: Field, unknown: number, values: (number | null)[]): void {
  const allowed = new Uint8Array(unknown + 1);
  for (const value of values) allowed[value === null ? unknown : value - field.first] = 1;
  const codes = choiceCodes(field);
  for (let row = 0; row < mask.length; row++) mask[row] &= allowed[codes[row]];
}

function narrowToRange(mask: Uint8Array, field: Field | null, low: number, high: number): void {
  if (!field) return void mask.fill(0);
  const { values } = field;
  const missing = notKnown(values);
  for (let row = 0; row < mask.length; row++) {
    const value = values[row];
    if (!(value >= low && value <= high) || value === missing) mask[row] = 0;
  }
}

function narrowToText(mask: Uint8Array, text: string, subject: Subject): void {
  const ids = subject.ids();
  if (!ids) return void mask.fill(0);
  const wanted = text.trim().toLowerCase();
  const label = subject.field("label");
  const named = (label?.choices ?? []).map((name) => name.toLowerCase().includes(wanted));
  const codes = label && choiceCodes(label);
  for (let row = 0; row < mask.length; row++) {
    if (mask[row] && !(codes && named[codes[row]]) && !ids[row].includes(wanted)) mask[row] = 0;
  }
}

function narrowToRows(mask: Uint8Array, rows: Uint32Array): void {
  const wanted = maskOfRows(rows, mask.length);
  for (let row = 0; row < mask.length; row++) mask[row] &= wanted[row];
}

/** The column that a clause is about; null of those about something else. */
export function columnOf(clause: Clause): string | null {
  return clause.kind === "is" || clause.kind === "within" ? clause.column : null;
}

/** The clauses with one on a column in place of the one before, or with none (null). */
export function withColumn(clauses: readonly Clause[], column: string, clause: Clause | null): Clause[] {
  const place = clauses.findIndex((one) => columnOf(one) === column);
  if (place < 0) return clause ? [...clauses, clause] : [...clauses];
  return clauses.flatMap((one, at) => (at !== place ? [one] : clause ? [clause] : []));
}
