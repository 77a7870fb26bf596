/** The list of keys. */

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { manifest } from "../state";
import { Icon } from "./icons";

export const helping = signal(false);

const KEYS: [string, string][] = [
  ["?", "This list"],
  ["1 – 5", "Map, Pictures, Table, Units, About"],
  ["← →", "On the map: the tap before, the next"],
  ["p", "Play through the taps; stop"],
  ["v  l  b", "On the map: move, lasso, box"],
  ["+  −  0", "On the map: nearer, further, the whole"],
  ["Shift + drag", "On the map: lasso, whatever the tool"],
  ["c", "Colour by"],
  ["f", "Add a filter"],
  ["/", "Search"],
  ["o", "Sort"],
  ["Arrows, Enter, Space", "In pictures and table: move, open the story, select"],
  ["j  k", "In a story: the next, the one before"],
  ["Ctrl + click", "Select one more"],
  ["Esc", "Close the story; then let the selection go"],
  ["d", "Dark, light"],
];

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (helping.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [helping.value]);
  return (
    <dialog
      class="help"
      ref={dialog}
      aria-label="Keys"
      onClose={() => (helping.value = false)}
      onClick={(event) => event.target === dialog.current && (helping.value = false)}
    >
      <header class="panel-head">
        <h2>Keys</h2>
        <button class="button square" aria-label="Close the list of keys" onClick={() => (helping.value = false)}>
          <Icon name="close" />
        </button>
      </header>
      <dl class="keys">
        {KEYS.map(([key, words]) => (
          <>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{words}</dd>
          </>
        ))}
      </dl>
      {manifest.can.place && <p class="hint">Drop or paste a picture anywhere: the network looks at it.</p>}
    </dialog>
  );
}
