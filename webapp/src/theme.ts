/** Light or dark: as the system says, unless the reader chose; and whether the page is narrow. */

import { computed, effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";
const KEY = "layerwise-theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(system.matches);
system.addEventListener("change", () => (systemIsDark.value = system.matches));

export const theme = signal<Theme>(remembered());
export const dark = computed(() => (theme.value === "system" ? systemIsDark.value : theme.value === "dark"));

const narrow = matchMedia("(max-width: 760px)");
const narrowNow = signal(narrow.matches);
narrow.addEventListener("change", () => (narrowNow.value = narrow.matches));

/** A phone: pictures have other sizes than the style sheet can give them. */
export function isNarrow(): boolean {
  return narrowNow.value;
}

effect(() => {
  document.documentElement.dataset.theme = dark.value ? "dark" : "light";
  try {
    localStorage.setItem(KEY, theme.value);
  } catch {
    // A page opened from a file may have no storage: the choice lasts as long as the page.
  }
});

export function turnTheme(): void {
  theme.value = dark.value ? "light" : "dark";
}

function remembered(): Theme {
  try {
    const known = localStorage.getItem(KEY);
    return known === "light" || known === "dark" ? known : "system";
  } catch {
    return "system";
  }
}
