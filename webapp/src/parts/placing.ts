/** A new image that was dropped on the page: asked of the server, shown on every map. */

import { signal } from "@preact/signals";
import type { Placed } from "../payload";
import { Fault } from "../source";
import { source } from "../state";

export interface Placing {
  name: string;
  /** Null until it has come. */
  answer: Placed | null;
  fault: Fault | null;
}

export const placed = signal<Placing | null>(null);

let last: Blob | null = null;

export async function place(picture: Blob, name = "pasted picture"): Promise<void> {
  last = picture;
  const waiting: Placing = { name, answer: null, fault: null };
  placed.value = waiting;
  try {
    const answer = await source.place(picture);
    if (placed.value === waiting) placed.value = { ...waiting, answer };
  } catch (fault) {
    const known =
      fault instanceof Fault
        ? fault
        : new Fault(`The answer cannot be read: ${(fault as Error).message}`, "Try again.");
    if (placed.value === waiting) placed.value = { ...waiting, fault: known };
  }
}

export function placeAgain(): void {
  if (last && placed.value) void place(last, placed.value.name);
}

export function pictureIn(data: DataTransfer | null): File | null {
  return Array.from(data?.files ?? []).find((file) => file.type.startsWith("image/")) ?? data?.files[0] ?? null;
}
