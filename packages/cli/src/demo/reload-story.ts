// The demo's story about reloads, told step by step with what really happens: a client connects all
// the time while listeners come and go, each a reload of nginx on every host; nothing fails.

import { type Probe, type ProbeResult, startProbe } from "@fairlead/lab";

import { service } from "./addresses-story.ts";
import { keepPromise } from "./demo-promise.ts";
import { type DemoStage, indent, LAN_POOL, type Tell } from "./demo-stage.ts";
import { type ClaimJson, heldOf, holderOf, untilAllStandBy, untilClaims } from "./demo-status.ts";

/** The client ends before, with the story. */
const DURATION_MS_MAX = 300_000;

/** Services that come, and then go. */
const MORE = ["one", "two", "three", "four", "five"] as const;
/** From one connection of the client to the next, in ms. */
const EVERY_MS = 2;
/** A connection that takes longer has failed, in ms. */
const TIMEOUT_MS = 2000;

/** The folder at the beginning. */
export const RELOAD_MANIFESTS: ReadonlyMap<string, string> = new Map([
  ["pool.yaml", LAN_POOL],
  ["web.yaml", service("web", 80)],
]);

/** Tells the story and answers with the address that the client connects to. */
export async function tellReloadStory(stage: DemoStage, tell: Tell): Promise<string> {
  tell("\n1. What is asked for, and what came of it\n\n");
  const first = await untilClaims(stage, "web is served", (claims) => isHeld(claims, "web"));
  const [address = ""] = heldOf(first, "web");
  const holder = holderOf(first, "web");
  tell(indent((await stage.fairlead(["status"])).stdout));

  tell(
    `\n2. A client connects to ${address} every ${EVERY_MS} ms, while listeners come and go\n\n`,
  );
  const pace = { everyMs: EVERY_MS, timeoutMs: TIMEOUT_MS, durationMs: DURATION_MS_MAX };
  const probed = { address, port: 80, ...pace };
  await using probe = await startProbe(stage.client, probed);
  await probe.waitForAnswer(5000);
  const told = (what: string): void => tell(`   ${what}: ${counted(probe)}\n`);
  for (const name of MORE) {
    await stage.write(`${name}.yaml`, service(name, 80));
    await untilClaims(stage, `${name} is served`, (claims) => isHeld(claims, name));
    told(`${name} came`);
  }
  for (const name of MORE) await stage.remove(`${name}.yaml`);
  const isGone = (claims: readonly ClaimJson[]): boolean =>
    !MORE.some((name) => isHeld(claims, name));
  await untilClaims(stage, "all of them are gone", isGone);
  await untilAllStandBy(stage);
  told("all of them went");
  const seen = await probe.stop();
  keepPromise("listeners came and went", seen.allTries, "nothing-ends");

  tell(`\n3. What the client saw, and what ${holder} has left of its generations of nginx\n\n`);
  tell(`   ${seen.tries} connections, ${seen.failed} failed, ${slowest(seen)}\n\n`);
  tell(indent((await stage.fairlead(["explain", holder])).stdout));
  return address;
}

function isHeld(claims: readonly ClaimJson[], name: string): boolean {
  return heldOf(claims, name).length > 0;
}

function counted(probe: Probe): string {
  const tries = probe.tries();
  const failed = tries.filter(({ member }) => member === undefined).length;
  return `${tries.length} connections, ${failed} failed`;
}

function slowest({ allTries }: ProbeResult): string {
  const tookMs = allTries.reduce((most, one) => Math.max(most, one.tookMs), 0);
  return `the slowest took ${Math.round(tookMs)} ms`;
}
