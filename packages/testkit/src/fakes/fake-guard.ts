// An input guard as a fake host has it: it stands in the kernel, so it outlives the agent, and it
// knows which addresses of ours were ever on the host without being guarded. Given what fails.

import type { Guarded, InputGuard } from "@fairlead/agent";

/** A fake guard. */
export interface FakeGuard {
  readonly port: InputGuard;
  /** What is let in, in sorted lines: `192.0.2.100:80/tcp`. */
  letsIn(): readonly string[];
  /** Guarded addresses, sorted. */
  vips(): readonly string[];
  /** Says which addresses of ours are on the host now, after each change. */
  look(): void;
  /** Those that were there unguarded at any time while the guard worked. */
  readonly unguarded: readonly string[];
  /** What it was told, in order. */
  readonly asked: readonly { readonly guarded: Guarded; readonly keepsOthers: boolean }[];
  /** The host boots. */
  clear(): void;
}

/** What a fake guard needs. */
export interface FakeGuardOptions {
  readonly isFailing: () => boolean;
  /** Addresses of ours that are on the host. */
  readonly present: () => readonly string[];
}

const NOTHING: Guarded = { vips: [], listeners: [], lanes: [] };

/** Makes a guard that lets in everything. */
export function createFakeGuard({ isFailing, present }: FakeGuardOptions): FakeGuard {
  let inForce = NOTHING;
  let wanted = NOTHING;
  const unguarded: string[] = [];
  const asked: { readonly guarded: Guarded; readonly keepsOthers: boolean }[] = [];
  const settle = (): void => {
    if (!isFailing()) inForce = wanted;
    look();
  };
  const look = (): void => {
    if (isFailing() || inForce !== wanted) return;
    const guarded = new Set<string>(inForce.vips);
    unguarded.push(...present().filter((text) => !guarded.has(text)));
  };
  return {
    port: {
      guard: async (guarded, keepsOthers) => {
        asked.push({ guarded, keepsOthers });
        const others = keepsOthers ? wanted.vips : [];
        wanted = { ...guarded, vips: [...new Set([...guarded.vips, ...others])] };
        settle();
      },
      trouble: () => {
        // The real one tries again by itself.
        if (inForce !== wanted) settle();
        if (inForce === wanted) return undefined;
        return { reason: "InputUnguarded", detail: "the guard fails now" };
      },
      remove: async () => {
        [inForce, wanted] = [NOTHING, NOTHING];
      },
      [Symbol.asyncDispose]: async () => undefined,
    },
    letsIn: () =>
      inForce.listeners
        .map(({ address, port, protocol }) => `${address}:${port}/${protocol}`)
        .toSorted(),
    vips: () => [...inForce.vips].toSorted(),
    look,
    unguarded,
    asked,
    clear: () => {
      [inForce, wanted] = [NOTHING, NOTHING];
    },
  };
}
