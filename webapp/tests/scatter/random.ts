/** Numbers from a named seed, 0 up to 1. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

export function randomPoints(next: () => number, count: number, off = 0.1): Uint16Array {
  const xy = new Uint16Array(2 * count);
  for (let row = 0; row < count; row++) {
    const gone = next() < off;
    xy[2 * row] = gone ? 65535 : Math.floor(next() * 65535);
    xy[2 * row + 1] = gone ? 65535 : Math.floor(next() * 65535);
  }
  return xy;
}

export function randomMask(next: () => number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => Number(next() < 0.6));
}
