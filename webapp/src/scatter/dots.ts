/** What both renderers have in common: how large and how opaque a dot is, and what a renderer must be able to do. */
import type { Camera } from "./camera";
import type { Kind } from "./choose";
import type { Points } from "./points";

export interface Dots {
  readonly kind: Kind;
  /** As large as the map. */
  readonly element: HTMLElement;
  /**
   * `moving`: more frames follow at once, so that a coarser picture will do where the fine one is slow.
   * Whether it drew the fine one.
   */
  draw(points: Points, camera: Camera, look: Look, moving: boolean): boolean;
  resize(width: number, height: number, ratio: number): void;
  setBackground(hex: string): void;
  destroy(): void;
}

export interface Look {
  /** In CSS pixels. */
  radius: number;
  opacity: number;
  /** Width of the background-coloured rim around a dot; 0: none. */
  rim: number;
  /** Of the selected ones. */
  strongRadius: number;
}

/** Many points: small and translucent, so that density shows; few, or enlarged: larger and more opaque. */
export function lookOf(shown: number, chosen: number, camera: Camera): Look {
  const room = Math.sqrt((camera.width * camera.height) / Math.max(1, shown));
  const grown = Math.max(1, camera.zoom) ** 0.45;
  const radius = Math.min(5, Math.max(0.5, Math.min(3.2, 0.35 * room) * grown));
  const opacity = Math.min(0.95, Math.max(0.5, 0.3 + 0.36 * radius));
  const few = Math.sqrt((camera.width * camera.height) / Math.max(1, chosen));
  const strongRadius = Math.min(5.5, Math.max(radius * 1.15, Math.min(2.2, 0.2 * few)));
  return { radius, opacity, rim: radius < 1.8 ? 0 : Math.min(1, radius * 0.25), strongRadius };
}

/** What fills the map, and neither takes the pointer nor is read out. */
export function asLayer<Layer extends HTMLElement>(layer: Layer): Layer {
  layer.style.cssText += ";position:absolute;inset:0;width:100%;height:100%;pointer-events:none";
  layer.setAttribute("aria-hidden", "true");
  return layer;
}
