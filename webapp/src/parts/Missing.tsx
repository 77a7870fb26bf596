/** What a run has not, with the command that makes it: under About, and where one looks for it. */

import { say } from "../actions";
import { copy } from "../csv";
import type { Manifest } from "../payload";
import { manifest } from "../state";
import { Icon } from "./icons";

type Lack = Manifest["missing"][number];

export const AGAIN = location.protocol === "file:" ? "export the page again" : "start layerwise explore again";

export function Command({ command }: { command: string }) {
  const take = async () => say((await copy(command)) ? "Command copied" : "The clipboard cannot be written.");
  return (
    <span class="command">
      <code>{command}</code>
      <button class="button square" aria-label={`Copy: ${command}`} title="Copy" onClick={take}>
        <Icon name="copy" />
      </button>
    </span>
  );
}

/** The command, and that the page has to be opened anew. */
export function NextStep({ of }: { of: Lack }) {
  if (!of.command) return null;
  return (
    <div class="next-step">
      <Command command={of.command} />
      <p class="hint">Then {AGAIN}.</p>
    </div>
  );
}

/** A part that is missing, said where it would be; nothing where it is there. */
export function MissingPart({ part }: { part: string }) {
  const of = manifest.missing.find((one) => one.part === part);
  if (!of) return null;
  return (
    <div class="missing-part">
      <p class="hint">{of.words}</p>
      <NextStep of={of} />
    </div>
  );
}
