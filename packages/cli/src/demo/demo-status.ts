// What `fairlead status` and `fairlead lease list` say with `-o json`, as far as the demo's stories
// read it. Their form is a contract.

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

/** Who holds an address of a claim; empty where nobody does. */
export function holderOf(claims: readonly ClaimJson[], name: string): string {
  const claim = claims.find((one) => one.name === name);
  return (claim?.addresses ?? []).map(({ holder }) => holder).find((one) => one !== "") ?? "";
}

/** Longest wait for something that a story tells of, in ms. */
const UNTIL_MS_MAX = 15_000;
const LOOK_EVERY_MS = 100;

/** One agent of the list. */
export interface AgentJson {
  readonly name: string;
  readonly state: string;
  readonly sync: string;
  readonly vipsHeld: number;
  readonly remarks: readonly unknown[];
}

/** One address that is not free. */
export interface LeaseJson {
  readonly address: string;
  readonly owners: readonly string[];
  /** `held`, `draining` or `quarantined`, which is its rest. */
  readonly state: string;
  readonly holder: string;
  readonly standingBy: readonly string[];
}

interface ListJson {
  readonly claims?: readonly ClaimJson[];
  readonly agents?: readonly AgentJson[];
}

/** All claims as they are now. */
export async function readClaims(
  stage: DemoStage,
  flags: readonly string[] = [],
): Promise<readonly ClaimJson[]> {
  return (await readList(stage, flags)).claims ?? [];
}

/** All agents as they are now. */
export async function readAgents(stage: DemoStage): Promise<readonly AgentJson[]> {
  return (await readList(stage)).agents ?? [];
}

/** Waits until the claims are as they should be. Rejects with `what` when they do not become so. */
export async function untilClaims(
  stage: DemoStage,
  what: string,
  isSo: (claims: readonly ClaimJson[]) => boolean,
): Promise<readonly ClaimJson[]> {
  return await until(what, () => readClaims(stage), isSo);
}

/** Waits until an address is quarantined: it is not free, and nobody's. */
export async function untilRests(stage: DemoStage, address: string): Promise<void> {
  await until(
    `${address} is quarantined`,
    () => readLeases(stage),
    (leases) => doesRest(leases, address),
  );
}

/** Whether that address is not free, and nobody's. */
export function doesRest(
  leases: readonly Pick<LeaseJson, "address" | "state" | "owners">[],
  address: string,
): boolean {
  const row = leases.find((one) => one.address === address);
  return row?.state === "quarantined" && row.owners.length === 0;
}

/** Waits until every agent is well, and holds each address or stands by for it. */
export async function untilAllStandBy(stage: DemoStage): Promise<void> {
  const isWell = ({ state, sync, remarks }: AgentJson): boolean =>
    state === "connected" && sync === "in-sync" && remarks.length === 0;
  await until(
    "every agent is well",
    () => readAgents(stage),
    (agents) => agents.length === stage.balancers.length && agents.every(isWell),
  );
  const isBacked = ({ state, holder, standingBy }: LeaseJson): boolean =>
    state !== "held" ||
    stage.balancers.every(({ name }) => name === holder || standingBy.includes(name));
  await until(
    "every address has its successors",
    () => readLeases(stage),
    (leases) => leases.every(isBacked),
  );
}

async function readList(stage: DemoStage, flags: readonly string[] = []): Promise<ListJson> {
  const { stdout } = await stage.fairlead(["status", "-o", "json", ...flags]);
  return JSON.parse(stdout) as ListJson;
}

async function readLeases(stage: DemoStage): Promise<readonly LeaseJson[]> {
  const { stdout } = await stage.fairlead(["lease", "list", "-o", "json"]);
  return (JSON.parse(stdout) as { readonly leases: readonly LeaseJson[] }).leases;
}

async function until<Seen>(
  what: string,
  look: () => Promise<Seen>,
  isSo: (seen: Seen) => boolean,
): Promise<Seen> {
  const endMs = performance.now() + UNTIL_MS_MAX;
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return seen;
    if (performance.now() >= endMs) throw new Error(`it never came to this: ${what}`);
    await wait(LOOK_EVERY_MS);
  }
}
