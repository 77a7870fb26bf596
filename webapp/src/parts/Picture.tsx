/** One small picture out of a sheet. */

import type { Sheets } from "../payload";
import { sheetOf, spotOf, spotStyle } from "../sheets";

interface PictureProps {
  of: Sheets | null;
  /** Which picture of the sheets. */
  place: number;
  size: number;
  /** Said of it; "" where words beside it say it. */
  words?: string;
  /** The example that it shows. */
  row?: number;
}

export function Picture({ of, place, size, words = "", row }: PictureProps) {
  const described = words ? ({ role: "img", "aria-label": words } as const) : ({ "aria-hidden": true } as const);
  if (!of || place >= of.count) return <span class="picture none" style={square(size)} data-row={row} {...described} />;
  const state = sheetOf(spotOf(of, place).file).state.value;
  if (state !== "here") return <span class={`picture ${state}`} style={square(size)} data-row={row} {...described} />;
  return <span class="picture" style={spotStyle(of, place, size)} data-row={row} data-place={place} {...described} />;
}

function square(size: number): string {
  return `width:${size}px;height:${size}px`;
}
