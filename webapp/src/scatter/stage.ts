import type { Kind } from "./choose";
import type { Scatter, ScatterOptions } from "./scatter";

export const Stage = {
  async open(_parent: HTMLElement, _count: number, _options: ScatterOptions, _kind: Kind): Promise<Scatter> {
    throw new Error("The map's renderer is not joined yet.");
  },
};
