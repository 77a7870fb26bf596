import { afterEach, describe, expect, test, vi } from "vitest";
import { Fault, serverSource, unpack } from "../src/source";
import { Store } from "../src/store";
import { NOWHERE } from "./made";

afterEach(() => vi.unstubAllGlobals());

function answering(status: number, body: string): void {
  vi.stubGlobal("fetch", async () => new Response(body, { status }));
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(
    await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer(),
  );
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

describe("packs of a folder", () => {
  test("are gzip in base64", async () => {
    const bytes = Uint8Array.from({ length: 5000 }, (_, place) => place % 251);
    expect(new Uint8Array(await unpack(toBase64(await gzip(bytes))))).toEqual(bytes);
  });

  test("that are damaged are refused", async () => {
    const packed = await gzip(new Uint8Array(5000));
    await expect(unpack(toBase64(packed.subarray(0, -6)))).rejects.toThrow();
    await expect(unpack("no base64!")).rejects.toThrow();
  });
});

describe("a server", () => {
  test("that refuses is quoted", async () => {
    answering(415, '{"error": "This is no picture.", "do": "Give a PNG."}');
    await expect(serverSource().place(new Blob())).rejects.toEqual(new Fault("This is no picture.", "Give a PNG."));
  });

  test("that breaks down is told of by its status", async () => {
    answering(500, "<html>");
    await expect(serverSource().pack("votes")).rejects.toThrow("The server answered 500 to data/packs/votes.bin.");
  });

  test("that is gone is told of", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(serverSource().manifest()).rejects.toThrow("The server does not answer.");
  });
});

describe("a store", () => {
  const VOTES = { ...NOWHERE, pack: "votes", bytes: 2 };
  const LABELS = { ...NOWHERE, pack: "votes", offset: 2, bytes: 2 };

  test("asks for each pack once", async () => {
    const pack = vi.fn(async () => Uint8Array.of(1, 2, 3, 4).buffer);
    const store = new Store({ ...serverSource(), pack });
    expect([store.numbers(VOTES), store.numbers(LABELS), store.numbers(null)]).toEqual([null, null, null]);
    await store.load("votes");
    expect([store.numbers(VOTES), store.numbers(LABELS)]).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3, 4)]);
    expect(store.numbers(VOTES)).toBe(store.numbers(VOTES));
    expect(pack).toHaveBeenCalledTimes(1);
  });

  test("says what could not be read, and asks again when told to", async () => {
    const pack = vi.fn().mockRejectedValueOnce(new Fault("gone", "try")).mockResolvedValue(Uint8Array.of(1, 2).buffer);
    const store = new Store({ ...serverSource(), pack });
    store.numbers(VOTES);
    await vi.waitFor(() => expect(store.fault.value).toEqual(new Fault("gone", "try")));
    expect(store.numbers(VOTES)).toBeNull();
    expect(pack).toHaveBeenCalledTimes(1);
    store.retry();
    await vi.waitFor(() => expect(store.numbers(VOTES)).toEqual(Uint8Array.of(1, 2)));
    expect(store.fault.value).toBeNull();
  });
});
