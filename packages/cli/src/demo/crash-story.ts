// The demo's story about crashes, told step by step with what really happens: programs of the host
// that holds an address are killed, one kind after the other, while a client connects all the time.

import type { Host } from "@fairlead/lab";

import { service } from "./addresses-story.ts";
import { CONNECT_EVERY_MS, type DemoClient, startDemoClient } from "./demo-client.ts";
import { type DemoPromise, keepPromise, seenText } from "./demo-promise.ts";
import { type DemoStage, indent, LAN_POOL, RUN_DIR, type Tell } from "./demo-stage.ts";
import { holderOf, readClaims, untilAllStandBy, untilClaims } from "./demo-status.ts";

/** What is killed, and how it is told. */
interface Crash {
  readonly what: string;
  /** What the client is promised; taken over, somebody else holds the address after it. */
  readonly promise: Extract<DemoPromise, "nothing-ends" | "taken-over">;
  readonly kill: (stage: DemoStage, host: Host) => Promise<void>;
}

/** The folder at the beginning. */
export const CRASH_MANIFESTS: ReadonlyMap<string, string> = new Map([
  ["pool.yaml", LAN_POOL],
  ["web.yaml", service("web", 80)],
]);

/** Files below the run directory with keepalived's two processes. */
const KEEPALIVED = ["keepalived/keepalived.pid", "keepalived/vrrp.pid"] as const;

const CRASHES: readonly Crash[] = [
  { what: "its agent is", promise: "nothing-ends", kill: killAgent },
  {
    what: "nginx's master is",
    promise: "taken-over",
    kill: (_, host) => killBy(host, "nginx/nginx.pid"),
  },
  {
    what: "all of keepalived is",
    promise: "taken-over",
    kill: (_, host) => killBy(host, ...KEEPALIVED),
  },
  {
    what: "everything at once, the supervisor too, is",
    promise: "taken-over",
    kill: killEverything,
  },
];

/** Tells the story and answers with the address that the client connects to. */
export async function tellCrashStory(stage: DemoStage, tell: Tell): Promise<string> {
  tell("\n1. What is asked for, and what came of it\n\n");
  tell(indent((await stage.fairlead(["status", "--wait", "15s"])).stdout));
  const { address } = await webOf(stage);
  await untilAllStandBy(stage);

  const pace = `A client connects to ${address} every ${CONNECT_EVERY_MS} ms`;
  tell(`\n2. ${pace}; its holder is hit by kill -9\n\n`);
  await using client = await startDemoClient(stage, address);
  for (const crash of CRASHES) await tellCrash(stage, tell, client, crash);

  tell("\n3. Who holds it now, and how it came there\n\n");
  tell(indent((await stage.fairlead(["explain", address])).stdout));
  tell("\n");
  tell(indent((await stage.fairlead(["agents"])).stdout));
  return address;
}

async function tellCrash(
  stage: DemoStage,
  tell: Tell,
  client: DemoClient,
  { what, promise, kill }: Crash,
): Promise<void> {
  const { holder } = await webOf(stage);
  const host = stage.lab.host(holder);
  let next = holder;
  const seen = await client.during(async () => {
    await kill(stage, host);
    const isTaken = promise === "taken-over";
    const isOver = (now: string): boolean => now !== "" && (now !== holder) === isTaken;
    const after = await untilClaims(stage, `it is over that ${what} killed`, (claims) =>
      isOver(holderOf(claims, "web")),
    );
    next = holderOf(after, "web");
  });
  const outcome = next === holder ? `${next} holds it on` : `${next} holds it now`;
  tell(`   ${holder}: ${what} killed; ${outcome}; ${seenText(seen)}\n`);
  keepPromise(`${holder}: ${what} killed`, seen, promise);
  // The next one is hit when all hosts stand by again.
  await untilAllStandBy(stage);
}

async function webOf(stage: DemoStage): Promise<{ readonly address: string; holder: string }> {
  const claims = await readClaims(stage, ["--wait", "15s"]);
  const at = claims.find(({ name }) => name === "web")?.addresses[0];
  if (at === undefined || at.holder === "") throw new Error("default/web is not served");
  return at;
}

async function killAgent(stage: DemoStage, host: Host): Promise<void> {
  await stage.killAgent(host);
  await stage.startAgent(host);
}

/** Ends the processes that these files below the run directory name, at one stroke. */
async function killBy(host: Host, ...files: readonly string[]): Promise<void> {
  const paths = files.map((file) => `${RUN_DIR}/${file}`);
  const pids = (await host.output("cat", paths)).trim().split("\n");
  await host.output("kill", ["-KILL", ...pids]);
}

/** All but the agent are stopped before the first is killed: none is to see another's end. */
async function killEverything(stage: DemoStage, host: Host): Promise<void> {
  await stage.killAgent(host);
  const pids = host.pids().map(String);
  await host.exec("kill", ["-STOP", ...pids]);
  await host.exec("kill", ["-KILL", ...pids]);
  await stage.startAgent(host);
}
