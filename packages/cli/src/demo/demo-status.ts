// What `fairlead status -o json` says, as far as the demo's stories read it. Its form is a
// contract.

import { setTimeout as wait } from "node:timers/promises";

import type { DemoStage } from "./demo-stage.ts";

/** One claim of the list. */
export interface ClaimJson {
  readonly name: string;
  /** `ready`, `pending`, `refused`, ... in the words of the protocol. */
  readonly state: string;
  readonly addresses: readonly { readonly address: string; readonly holder: string }[];
}

/** The addresses of a claim that somebody holds. */
export function heldOf(claims: readonly ClaimJson[], name: string): readonly string[] {
  const claim = claims.find((one) => one.name === name);
  return (claim?.addresses ?? []).filter(({ holder }) => holder !== "").map((at) => at.address);
}

/** Longest wait for something that a story tells of, in ms. */
const UNTIL_MS_MAX = 15_000;
const LOOK_EVERY_MS = 100;

/** All claims as they are now. */
export async function readClaims(
  stage: DemoStage,
  flags: readonly string[] = [],
): Promise<readonly ClaimJson[]> {
  const { stdout } = await stage.fairlead(["status", "-o", "json", ...flags]);
  const list: unknown = JSON.parse(stdout);
  return (list as { readonly claims?: readonly ClaimJson[] }).claims ?? [];
}

/** Waits until the claims are as they should be. Rejects with `what` when they do not become so. */
export async function untilClaims(
  stage: DemoStage,
  what: string,
  isSo: (claims: readonly ClaimJson[]) => boolean,
): Promise<readonly ClaimJson[]> {
  const endMs = performance.now() + UNTIL_MS_MAX;
  for (;;) {
    const claims = await readClaims(stage);
    if (isSo(claims)) return claims;
    if (performance.now() >= endMs) throw new Error(`it never came to this: ${what}`);
    await wait(LOOK_EVERY_MS);
  }
}
