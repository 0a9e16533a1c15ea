// What the controller writes to the API server, from its audit log and by kind: for a Service that
// is made among few others, and for members that come and go, which is nothing.

import { setTimeout as wait } from "node:timers/promises";

import { KINDS, sayReady } from "../e2e/stage/cluster-objects.ts";
import { untilAddresses } from "../e2e/stage/cluster-views.ts";
import type { Stage } from "../e2e/stage/stage.ts";
import { controllerWrites, countByKind } from "./api-requests.ts";
import { createClusterStage, PODS, podService, type Tell } from "./cluster-stage.ts";
import { roundsOf, servicesOf } from "./counts.ts";
import type { Figure } from "./goal.ts";

const SERVICES = 20;
const CHANGES = 10;
const STEP_MS_MAX = 30_000;
/** Whatever is written about something is written before so long has passed. */
const QUIET_MS = 3000;

/** Measures; takes about a minute. */
export async function benchClusterWrites(tell: Tell): Promise<readonly Figure[]> {
  await using stage = await createClusterStage();
  const { kube } = stage.api();
  const services = servicesOf(SERVICES);
  const createdMs = Date.now();
  for (let index = 0; index < services; index += 1) {
    await kube.create(podService(`web-${index}`));
    await untilAddresses(kube, `web-${index}`, "some", STEP_MS_MAX);
  }
  await wait(QUIET_MS);
  const creates = await controllerWrites(stage, createdMs);
  tell(`  ${services} Services are made`);
  const changes = roundsOf(CHANGES);
  const changedMs = Date.now();
  for (let round = 0; round < changes; round += 1) {
    await changeMembers(stage, { isReady: round % 2 === 1, services });
  }
  await wait(QUIET_MS);
  const forMembers = await controllerWrites(stage, changedMs);
  const unit = "writes";
  return [
    {
      what: "a Service made: API writes",
      value: creates.length / services,
      unit,
      goal: 4,
      beside: "MetalLB 10.1 with three hosts",
    },
    ...Array.from(countByKind(creates), ([kind, count]) => ({
      what: `of it: ${kind}`,
      value: count / services,
      unit,
    })),
    {
      what: "a member changed: API writes",
      value: forMembers.length / changes,
      unit,
      goal: 0,
    },
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
