/** The state of the page: what it shows of which run. All of it but the theme is in the address. */

import { computed, signal } from "@preact/signals";
import { decodeAddress, encodeAddress, firstAddress, type Address } from "./address";
import type { Manifest } from "./payload";
import type { Source } from "./source";
import { Store } from "./store";

export let manifest: Manifest;
export let source: Source;
export let store: Store;

export const address = signal<Address>(null as unknown as Address);
/** Parts of the address that mean nothing here. */
export const ignored = signal<string[]>([]);

/** Take the run in, and the state that the address asks for. */
export function begin(run: Manifest, from: Source): void {
  manifest = run;
  source = from;
  store = new Store(from);
  readAddress();
  window.addEventListener("popstate", readAddress);
}

/** One part of the state; what reads it is drawn again only when this part changes. */
export function part<Name extends keyof Address>(name: Name) {
  return computed(() => address.value[name]);
}

export const tab = part("tab");
export const method = part("method");
export const filters = part("filters");
export const selected = part("selected");
export const row = part("row");
export const color = part("color");
export const size = part("size");
export const scope = part("scope");
export const unit = part("unit");

/** Change the state: "push" makes a step that "back" undoes; "replace" is for what changes many times a second. */
export function go(change: Partial<Address>, how: "push" | "replace" = "push"): void {
  writePending();
  address.value = { ...address.value, ...change };
  if (how === "push") write("push");
  else pending = window.setTimeout(writePending, WRITE_AFTER_MS);
}

export function linkTo(change: Partial<Address>): string {
  const words = encodeAddress({ ...address.value, ...change }, firstAddress(manifest));
  return `${location.href.replace(/#.*/, "")}#${words}`;
}

const WRITE_AFTER_MS = 250;
let pending: number | null = null;

function writePending(): void {
  if (pending === null) return;
  window.clearTimeout(pending);
  pending = null;
  write("replace");
}

function write(how: "push" | "replace"): void {
  const link = linkTo({});
  if (link === location.href) return;
  if (how === "push") history.pushState(null, "", link);
  else history.replaceState(null, "", link);
}

function readAddress(): void {
  if (pending !== null) window.clearTimeout(pending);
  pending = null;
  const decoded = decodeAddress(location.hash, manifest);
  address.value = decoded.address;
  ignored.value = decoded.ignored;
}
