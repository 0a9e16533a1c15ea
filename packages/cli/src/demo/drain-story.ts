// The demo's story about maintenance, told step by step with what really happens: a host is drained
// while a client connects to an address of it, taken back, and given its part again.

import { service } from "./addresses-story.ts";
import { CONNECT_EVERY_MS, startDemoClient } from "./demo-client.ts";
import { type DemoPromise, keepPromise, seenText } from "./demo-promise.ts";
import { type DemoStage, indent, LAN_POOL, type Tell } from "./demo-stage.ts";
import { heldOf, holderOf, readAgents, untilAllStandBy, untilClaims } from "./demo-status.ts";

/** More than there are hosts, so that each of them holds some. */
const NAMES = ["web", "api", "mail", "chat", "shop", "wiki"] as const;

/** The folder at the beginning: Services come when all hosts are there, and spread over them. */
export const DRAIN_MANIFESTS: ReadonlyMap<string, string> = new Map([["pool.yaml", LAN_POOL]]);

/** Tells the story and answers with the address that the client connects to. */
export async function tellDrainStory(stage: DemoStage, tell: Tell): Promise<string> {
  const run = async (...args: readonly string[]): Promise<void> => {
    const { stdout, code } = await stage.fairlead(args);
    tell(indent(stdout));
    if (code !== 0) throw new Error(`fairlead ${args.join(" ")} ended with code ${code}`);
  };
  tell("\n1. What is asked for, and what came of it\n\n");
  for (const name of NAMES) await stage.write(`${name}.yaml`, service(name, 80));
  const claims = await untilClaims(stage, "all Services are served", (now) =>
    NAMES.every((name) => heldOf(now, name).length > 0),
  );
  tell(indent((await stage.fairlead(["status"])).stdout));
  await untilAllStandBy(stage);
  const [address = ""] = heldOf(claims, "web");
  const holder = holderOf(claims, "web");
  await using client = await startDemoClient(stage, address);
  const watched = async (promise: DemoPromise, ...args: readonly string[]): Promise<void> => {
    const seen = await client.during(async () => {
      await run(...args);
      await untilAllStandBy(stage);
    });
    tell(`\n   The client of ${address} saw: ${seenText(seen)}\n`);
    tell(`   Addresses held: ${await sharesOf(stage)}\n`);
    keepPromise(`fairlead ${args.join(" ")}`, seen, promise);
  };

  const pace = `A client connects to ${address} every ${CONNECT_EVERY_MS} ms`;
  tell(`\n2. ${pace}, while its holder is drained: fairlead drain ${holder}\n\n`);
  await watched("moves-once", "drain", holder);

  tell(`\n3. The work is done: fairlead uncordon ${holder}; nothing moves back by itself\n\n`);
  await watched("nothing-ends", "uncordon", holder);

  tell("\n4. Each host gets its part again: fairlead rebalance\n\n");
  await watched("moves-once", "rebalance");
  return address;
}

async function sharesOf(stage: DemoStage): Promise<string> {
  const agents = await readAgents(stage);
  return agents.map(({ name, vipsHeld }) => `${name} ${vipsHeld}`).join(", ");
}
