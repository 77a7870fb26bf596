/** Run by reglprograms.mjs in a browser: leaves in the page the programs that regl has built for the map. */
import { openReglDots } from "../src/scatter/regldots";

const { regl } = await openReglDots(() => {});
const programs = Object.entries((regl as unknown as { getCachedCode(): Record<string, () => unknown> }).getCachedCode());
document.body.textContent = JSON.stringify(programs.map(([key, program]) => [key, String(program)]));
