/** Where the payload comes from: a server that answers, or a folder beside the page, which only scripts can read. */

import type { FeatureMaps, Manifest, Placed } from "./payload";

/** A fault in words, and what to do. */
export class Fault extends Error {
  constructor(
    readonly words: string,
    readonly remedy: string,
  ) {
    super(words);
  }
}

export interface Source {
  manifest(): Promise<Manifest>;
  pack(name: string): Promise<ArrayBuffer>;
  /** The address of a sheet of pictures. */
  sheet(file: string): string;
  features(row: number, tap: number): Promise<FeatureMaps>;
  place(picture: Blob): Promise<Placed>;
}

const NO_SERVER = new Fault(
  "The server does not answer.",
  "See whether “layerwise explore” still runs in its terminal; start it again if not, and open the address it prints.",
);

export function serverSource(): Source {
  return {
    manifest: async () => (await answer("data/manifest.json")).json(),
    pack: async (name) => (await answer(`data/packs/${name}.bin`)).arrayBuffer(),
    sheet: (file) => `data/sheets/${file}`,
    features: async (row, tap) => (await answer(`api/features?row=${row}&tap=${tap}`)).json(),
    place: async (picture) => (await answer("api/place", { method: "POST", body: picture })).json(),
  };
}

async function answer(address: string, request?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, request);
  } catch {
    throw NO_SERVER;
  }
  if (!response.ok) throw await refusal(response, address);
  return response;
}

async function refusal(response: Response, address: string): Promise<Fault> {
  try {
    const { error, do: remedy } = await response.json();
    if (typeof error === "string") return new Fault(error, String(remedy ?? ""));
  } catch {
    // Not the server's own words: say what came instead.
  }
  return new Fault(
    `The server answered ${response.status} to ${address}.`,
    "See what its terminal says; then try again.",
  );
}

/** Scripts that call `layerwiseData(name, base64 of gzip)`: a page opened from a file may load nothing else. */
export function folderSource(): Source {
  const arrived = new Map<string, string>();
  Object.assign(window, { layerwiseData: (name: string, packed: string) => arrived.set(name, packed) });
  const read = async (file: string, name: string): Promise<ArrayBuffer> => {
    await loadScript(file);
    const packed = arrived.get(name);
    arrived.delete(name);
    if (packed === undefined) throw damaged(file);
    return unpack(packed).catch(() => Promise.reject(damaged(file)));
  };
  return {
    manifest: async () => JSON.parse(new TextDecoder().decode(await read("data/manifest.js", "manifest"))),
    pack: (name) => read(`data/packs/${name}.js`, name),
    sheet: (file) => `data/sheets/${file}`,
    features: () => Promise.reject(NEEDS_SERVER),
    place: () => Promise.reject(NEEDS_SERVER),
  };
}

const NEEDS_SERVER = new Fault("A folder has no network to ask.", "Open the run itself: layerwise explore RUN");

function damaged(file: string): Fault {
  return new Fault(`${file} is damaged.`, "Write the folder again: layerwise explore RUN --export FOLDER");
}

function loadScript(file: string): Promise<void> {
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = file;
    script.onload = () => (script.remove(), done());
    script.onerror = () => {
      script.remove();
      const remedy =
        "Keep the page together with its data folder, or write it again: layerwise explore RUN --export FOLDER";
      failed(new Fault(`${file} cannot be read.`, remedy));
    };
    document.head.append(script);
  });
}

/** The bytes of a gzip file given as base64. */
export async function unpack(packed: string): Promise<ArrayBuffer> {
  const stream = new Blob([fromBase64(packed)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

type FromBase64 = { fromBase64?: (packed: string) => Uint8Array<ArrayBuffer> };

function fromBase64(packed: string): Uint8Array<ArrayBuffer> {
  const native = (Uint8Array as FromBase64).fromBase64;
  if (native) return native.call(Uint8Array, packed);
  const letters = atob(packed);
  const bytes = new Uint8Array(letters.length);
  for (let place = 0; place < letters.length; place++) bytes[place] = letters.charCodeAt(place);
  return bytes;
}
