export type Kind = "splat" | "webgl";

const SOFTWARE = /swiftshader|llvmpipe|softpipe|lavapipe|software|basic render/i;

/** What this browser draws fast with: "webgl" with a graphics card, else "splat". `?renderer=` in the address decides. */
export function chooseRenderer(): Kind {
  return askedRenderer() ?? (hasGraphicsCard() ? "webgl" : "splat");
}

/** What the page's address asks for, if anything. */
export function askedRenderer(): Kind | null {
  const asked = new URLSearchParams(location.search).get("renderer");
  return asked === "splat" || asked === "webgl" ? asked : null;
}

function hasGraphicsCard(): boolean {
  const context = document.createElement("canvas").getContext("webgl", { failIfMajorPerformanceCaveat: true });
  if (!context) return false;
  const names = context.getExtension("WEBGL_debug_renderer_info");
  const name = String(context.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : context.RENDERER));
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return !SOFTWARE.test(name);
}
