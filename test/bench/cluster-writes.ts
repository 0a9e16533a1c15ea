// What the controller writes to the API server, from its audit log and by kind: for a Service that
// is made among few others, as much on five hosts as on one, and for members that come and go,
// which is nothing.

import { setTimeout as wait } from "node:timers/promises";

import { KINDS, sayReady } from "../e2e/stage/cluster-objects.ts";
import { untilAddresses } from "../e2e/stage/cluster-views.ts";
import type { Stage } from "../e2e/stage/stage.ts";
import { controllerWrites, countByKind } from "./api-requests.ts";
import { createClusterStage, PODS, podService, type Tell } from "./cluster-stage.ts";
import { roundsOf, servicesOf } from "./counts.ts";
import type { Figure } from "./goal.ts";

const FEW_HOSTS = 1;
const MANY_HOSTS = 5;
/**
 * What is proved before its first status is written spares one of two writes, now and then. What
 * has to do with hosts would be one write more for each Service, or for each host.
 */
const MORE_MAX = 0.5;
const SERVICES = 20;
const CHANGES = 10;
const STEP_MS_MAX = 30_000;
/** Whatever is written about something is written before so long has passed. */
const QUIET_MS = 3000;

/** What was written with so many hosts. */
interface Written {
  readonly hosts: number;
  /** Of one Service that is made, by kind. */
  readonly byKind: ReadonlyMap<string, number>;
  readonly each: number;
  /** Of it Events that its address moved, which no address has to. */
  readonly moves: number;
  /** For one member that comes or goes. */
  readonly forMember: number;
}

/** Measures; takes about two minutes. */
export async function benchClusterWrites(tell: Tell): Promise<readonly Figure[]> {
  const few = await measure(FEW_HOSTS, tell);
  const many = await measure(MANY_HOSTS, tell);
  return [
    ...figures(few),
    ...figures(many),
    {
      what: `a Service made: writes more with ${MANY_HOSTS} hosts than with ${FEW_HOSTS}`,
      value: many.each - many.moves - (few.each - few.moves),
      unit: "writes",
      goal: MORE_MAX,
      digits: 2,
    },
  ];
}

async function measure(hosts: number, tell: Tell): Promise<Written> {
  await using stage = await createClusterStage({ balancers: hosts });
  const { kube } = stage.api();
  const services = servicesOf(SERVICES);
  const createdMs = Date.now();
  for (let index = 0; index < services; index += 1) {
    await kube.create(podService(`web-${index}`));
    await untilAddresses(kube, `web-${index}`, "some", STEP_MS_MAX);
  }
  await wait(QUIET_MS);
  const creates = await controllerWrites(stage, createdMs);
  const moves = await countMoves(stage);
  tell(`  ${services} Services are made on ${hosts} hosts`);
  const changes = roundsOf(CHANGES);
  const changedMs = Date.now();
  for (let round = 0; round < changes; round += 1) {
    await changeMembers(stage, { isReady: round % 2 === 1, services });
  }
  await wait(QUIET_MS);
  const forMembers = await controllerWrites(stage, changedMs);
  const byKind = Array.from(
    countByKind(creates),
    ([kind, count]) => [kind, count / services] as const,
  );
  return {
    hosts,
    byKind: new Map(byKind),
    each: creates.length / services,
    moves: moves / services,
    forMember: forMembers.length / changes,
  };
}

/** How often it was told that an address moved. */
async function countMoves(stage: Stage): Promise<number> {
  const events = await stage.api().kube.list(KINDS.event);
  return events
    .filter((event) => event["reason"] === "VipMoved")
    .map((event) => (event["series"] as { readonly count?: number } | undefined)?.count ?? 1)
    .reduce((sum, count) => sum + count, 0);
}

function figures({ hosts, each, byKind, moves, forMember }: Written): readonly Figure[] {
  const unit = "writes";
  const beside = hosts === FEW_HOSTS ? {} : { beside: "MetalLB 10.1 with three hosts" };
  const where = `${hosts} host${hosts === 1 ? "" : "s"}`;
  return [
    { what: `a Service made, ${where}: API writes`, value: each, unit, goal: 4, ...beside },
    ...Array.from(byKind, ([kind, value]) => ({ what: `of it: ${kind}`, value, unit })),
    { what: "of it: that an address moved", value: moves, unit },
    { what: `a member changed, ${where}: API writes`, value: forMember, unit, goal: 0 },
  ];
}

/** One pod turns ready or not, and all Services have heard of it. */
async function changeMembers(
  stage: Stage,
  { isReady, services }: { readonly isReady: boolean; readonly services: number },
): Promise<void> {
  await sayReady(stage.api().kube, { ...KINDS.pod, name: PODS[0] ?? "" }, isReady);
  const members = isReady ? 2 : 1;
  await stage.until(
    `every Service has ${members} members`,
    ({ claims }) =>
      claims.filter((row) => row.members === members).length === services || undefined,
    STEP_MS_MAX,
  );
  await stage.inSync(STEP_MS_MAX);
}
