/** What dragging on the map does, and showing it whole. */

import { signal } from "@preact/signals";
import type { Mode, Scatter } from "../scatter/scatter";
import { Icon, type IconName } from "./icons";

export const mode = signal<Mode>("pan");
/** The map that is drawn; null until it stands. */
export const scatter = signal<Scatter | null>(null);

const TOOLS: { mode: Mode; icon: IconName; title: string; key: string }[] = [
  { mode: "pan", icon: "pan", title: "Move", key: "v" },
  { mode: "lasso", icon: "lasso", title: "Lasso", key: "l" },
  { mode: "box", icon: "box", title: "Box", key: "b" },
];

export function MapTools() {
  return (
    <div class="tools">
      <div class="segments" role="group" aria-label="Dragging on the map">
        {TOOLS.map(({ mode: one, icon, title, key }) => (
          <button
            key={one}
            aria-pressed={mode.value === one}
            aria-label={title}
            title={`${title} (${key})`}
            onClick={() => (mode.value = one)}
          >
            <Icon name={icon} />
          </button>
        ))}
      </div>
      <button
        class="button square"
        aria-label="Show the whole map"
        title="Show the whole map (0)"
        onClick={() => scatter.value?.fit()}
      >
        <Icon name="fit" />
      </button>
    </div>
  );
}
