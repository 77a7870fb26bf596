/** What is taken away from the page: rows as CSV, ids as lines. */

import { valueAt, wordsAt, type Field } from "./columns";

/** A table with the ids first; numbers in full, "" where they are not known, words as words. */
export function csvOf(rows: ArrayLike<number>, ids: string[], fields: Field[]): string {
  const lines = [["id", ...fields.map((field) => field.column.name)].map(cell).join(",")];
  for (let place = 0; place < rows.length; place++) {
    const row = rows[place];
    lines.push([ids[row], ...fields.map((field) => written(field, row))].map(cell).join(","));
  }
  return `${lines.join("\r\n")}\r\n`;
}

function written(field: Field, row: number): string {
  const value = valueAt(field, row);
  if (value === null) return "";
  return field.choices ? wordsAt(field, row) : String(value);
}

/** RFC 4180; words that a spreadsheet would take for a formula get an apostrophe in front. */
function cell(words: string): string {
  const safe = /^[=+@\t\r]/.test(words) || /^-[^\d.]/.test(words) ? `'${words}` : words;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function download(name: string, words: string, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([words], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Whether the words are on the clipboard; pages opened from files may need the older way. */
export async function copy(words: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(words);
    return true;
  } catch {
    return copyByHand(words);
  }
}

function copyByHand(words: string): boolean {
  const area = document.createElement("textarea");
  const before = document.activeElement as HTMLElement | null;
  area.value = words;
  area.style.cssText = "position:fixed;opacity:0";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  before?.focus();
  return copied;
}
