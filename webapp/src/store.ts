/** Store: each pack is asked for once, when something first needs it; what reads it is drawn again when it arrives. */

import { signal, type Signal } from "@preact/signals";
import { numbersIn, wordsIn, type Numbers } from "./arrays";
import type { ArrayRef } from "./payload";
import { Fault, type Source } from "./source";

export class Store {
  /** What could not be read, in words; the names of the packs that wait for another try. */
  readonly fault: Signal<Fault | null> = signal(null);
  private readonly failed = new Set<string>();
  private readonly packs = new Map<string, Signal<ArrayBuffer | null>>();
  private readonly asked = new Map<string, Promise<ArrayBuffer>>();
  private readonly decoded = new WeakMap<ArrayRef, unknown>();

  constructor(private readonly source: Source) {}

  /** The numbers, or null until they are here. */
  numbers(ref: ArrayRef | null | undefined): Numbers | null {
    return ref ? this.view(ref, numbersIn) : null;
  }

  words(ref: ArrayRef | null | undefined): string[] | null {
    return ref ? this.view(ref, wordsIn) : null;
  }

  /** Ask for a pack without reading it. */
  load(name: string): Promise<ArrayBuffer> {
    const before = this.asked.get(name);
    if (before) return before;
    const arriving = this.source.pack(name).then((bytes) => (this.pack(name).value = bytes));
    this.asked.set(name, arriving);
    arriving.catch((fault: Error) => this.remember(name, fault));
    return arriving;
  }

  /** Ask again for all that could not be read. */
  retry(): void {
    const names = [...this.failed];
    this.failed.clear();
    this.fault.value = null;
    for (const name of names) void this.load(name);
  }

  private view<T>(ref: ArrayRef, read: (pack: ArrayBuffer, ref: ArrayRef) => T): T | null {
    const bytes = this.pack(ref.pack).value;
    if (!bytes) {
      if (!this.failed.has(ref.pack)) void this.load(ref.pack);
      return null;
    }
    if (!this.decoded.has(ref)) this.decoded.set(ref, read(bytes, ref));
    return this.decoded.get(ref) as T;
  }

  private pack(name: string): Signal<ArrayBuffer | null> {
    const known = this.packs.get(name) ?? signal<ArrayBuffer | null>(null);
    this.packs.set(name, known);
    return known;
  }

  private remember(name: string, fault: Error): void {
    this.asked.delete(name);
    this.failed.add(name);
    this.fault.value =
      fault instanceof Fault ? fault : new Fault(`The pack ${name} cannot be read: ${fault.message}`, "Try again.");
  }
}
