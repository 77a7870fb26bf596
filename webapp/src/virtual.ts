/** Which lines of a long list are near the part that is looked at. */

export interface Lines {
  first: number;
  /** One past the last. */
  end: number;
}

export function linesInView(scrollTop: number, height: number, lineHeight: number, count: number, spare = 4): Lines {
  const first = Math.max(0, Math.floor(scrollTop / lineHeight) - spare);
  const end = Math.min(count, Math.ceil((scrollTop + height) / lineHeight) + spare);
  return { first: Math.min(first, end), end };
}

/** Where to scroll so that a line is in view; `covered` pixels at the top lie under a heading. */
export function scrollFor(line: number, scrollTop: number, height: number, lineHeight: number, covered = 0): number {
  const top = line * lineHeight;
  if (top < scrollTop) return top;
  const bottom = top + lineHeight + covered;
  return bottom > scrollTop + height ? bottom - height : scrollTop;
}

/** How many columns of a size, with gaps between them, a width has room for; at least one. */
export function columnsFor(width: number, size: number, gap: number): number {
  return Math.max(1, Math.floor((width + gap) / (size + gap)));
}
