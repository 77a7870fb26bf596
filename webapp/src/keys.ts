/** Keys that work everywhere on the page. */

import { clearSelection, closeStory, stepStory } from "./actions";
import { TABS } from "./address";
import { mapOfMethod } from "./derived";
import { helping } from "./parts/Help";
import { mode, scatter } from "./parts/MapTools";
import { placed } from "./parts/placing";
import { play } from "./parts/Scrubber";
import { address, go } from "./state";
import { turnTheme } from "./theme";

const KEY_TO_ACTION: Record<string, () => void> = {
  "?": () => (helping.value = true),
  "0": () => scatter.value?.fit(),
  v: () => (mode.value = "pan"),
  l: () => (mode.value = "lasso"),
  b: () => (mode.value = "box"),
  p: () => mapOfMethod.value && play(mapOfMethod.value),
  c: () => press("color"),
  f: () => press("filter"),
  o: () => press("sort"),
  "/": () => press("search"),
  j: () => stepStory(1),
  k: () => stepStory(-1),
  d: turnTheme,
  Escape: leave,
};

export function listenToKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (
      event.defaultPrevented ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      document.querySelector("dialog[open]")
    )
      return;
    const typing = (event.target as HTMLElement).matches("input:not([type=range]):not([type=checkbox]), textarea");
    if (typing && event.key !== "Escape") return;
    const tab = TABS[Number(event.key) - 1];
    const action = tab ? () => go({ tab }) : KEY_TO_ACTION[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

/** One step out: of a field, the new image, the story, the unit, the selection. */
function leave(): void {
  const focused = document.activeElement as HTMLElement | null;
  if (focused?.matches("input")) focused.blur();
  else if (placed.value) placed.value = null;
  else if (address.value.row !== null) closeStory();
  else if (address.value.unit !== null) go({ unit: null });
  else clearSelection();
}

function press(shortcut: string): void {
  const element = document.querySelector<HTMLElement>(`[data-shortcut="${shortcut}"]`);
  element?.focus();
  if (element?.matches("button")) element.click();
}
