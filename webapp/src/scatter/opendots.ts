import { viewOf, WHOLE } from "./camera";
import { askedRenderer, type Kind } from "./choose";
import { lookOf, type Dots } from "./dots";
import { Points } from "./points";
import { openReglDots, type ReglDots } from "./regldots";
import { SplatDots } from "./splatdots";

const TRIAL = { count: 20000, width: 1200, height: 800 } as const;
/** From picture to picture. Slower, and the splat is faster; a graphics card takes one frame of the screen. */
const SLOW_MS = 45;
/** A card that has drawn nothing by then draws nothing. */
const PATIENCE_MS = 4000;

/**
 * The renderer asked for; the splat where WebGL fails, or where it is slow and the page's address did not insist.
 * `lost`: it can draw no longer.
 */
export async function openDots(kind: Kind, background: string, lost: () => void): Promise<Dots> {
  if (kind === "splat") return new SplatDots(background);
  let dots: ReglDots | null = null;
  try {
    dots = await openReglDots(lost);
    if ((await trial_ms(dots, background)) < SLOW_MS || askedRenderer() === "webgl") return dots;
  } catch (problem) {
    console.warn("The map is drawn without the graphics card:", problem);
  }
  dots?.destroy();
  return new SplatDots(background);
}

async function trial_ms(dots: ReglDots, background: string): Promise<number> {
  const { count, width, height } = TRIAL;
  const points = new Points(count, background);
  points.go(Uint16Array.from({ length: 2 * count }, (_, i) => Math.imul(i + 1, 40503) & 65533), 1);
  dots.resize(width, height);
  const camera = { ...viewOf(WHOLE, width, height), width, height };
  const taken = await Promise.race([dots.trial_ms(points, camera, lookOf(count, 0, camera)), expired()]);
  dots.forget();
  return taken;
}

function expired(): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("Nothing was drawn in time.")), PATIENCE_MS));
}
