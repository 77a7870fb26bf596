/** Counts and answers, told to those who hear the page. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { said } from "../actions";
import { mapTap, shownCount } from "../derived";
import { manifest, selected } from "../state";
import { countWords } from "../words";

/** So that a brush that moves does not talk all the time. */
const AFTER_MS = 600;

export function LiveCounts() {
  const words = useSignal("");
  const shown = `${countWords(shownCount.value)} of ${countWords(manifest.count)} shown, ${countWords(selected.value.length)} selected${mapTap.value ? `, tap ${mapTap.value.tap}` : ""}`;
  useEffect(() => {
    const timer = window.setTimeout(() => (words.value = shown), AFTER_MS);
    return () => window.clearTimeout(timer);
  }, [shown]);
  return (
    <div class="unseen" role="status" aria-live="polite">
      {said.value || words.value}
    </div>
  );
}
