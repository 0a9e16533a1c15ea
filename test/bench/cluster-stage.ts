// The stage of the benches on a real cluster: wide enough for thousands of VIPs, with two ready
// pods that every Service selects, so that the real controller manager writes the slices.

import { setTimeout as wait } from "node:timers/promises";

import { monotonicMs } from "@fairlead/lab";
import type { KubeClient, KubeObject } from "@fairlead/testkit";

import { addReadyNode, addReadyPod } from "../e2e/stage/cluster-objects.ts";
import { MEMBERS, service } from "../e2e/stage/manifests.ts";
import { describeList } from "../e2e/stage/describe-list.ts";
import { createStage, type Stage, type StageOptions } from "../e2e/stage/stage.ts";
import { controllerPage, readMetric } from "./readings.ts";

/** Tells of progress in a line. */
export type Tell = (line: string) => void;

/** The first part of the pool is given by number; the second is left to those who wish. */
const POOLS = ["lan=10.77.4.0-10.77.15.255"];
const LABELS = { app: "web" };
const NODE = "worker1";
/** As many as create Services at once in the measurements of others. */
const CREATORS = 4;
const TELL_EVERY_MS = 2000;
const LOOK_EVERY_MS = 100;

/** The names of the pods behind all Services. */
export const PODS: readonly string[] = MEMBERS.map((_, index) => `web-pod-${index}`);

/** Makes the stage. Flags are added to those that all of these stages have. */
export async function createClusterStage(
  options: Pick<StageOptions, "balancers" | "controllerFlags" | "hasStandby"> = {},
): Promise<Stage> {
  const stage = await createStage({
    ...options,
    source: "kubernetes",
    prefixLength: 16,
    pools: POOLS,
    controllerFlags: ["--members=endpoints", ...(options.controllerFlags ?? [])],
  });
  try {
    const { kube } = stage.api();
    await addReadyNode(kube, NODE, MEMBERS[0] ?? "");
    for (const [index, name] of PODS.entries()) {
      await addReadyPod(kube, { name, labels: LABELS, node: NODE }, MEMBERS[index] ?? "");
    }
    return stage;
  } catch (error) {
    await stage[Symbol.asyncDispose]();
    throw error;
  }
}

/** A Service of the two pods. Undefined address: any. */
export function podService(name: string, address?: string): KubeObject {
  const wish = address === undefined ? {} : { annotations: { "fairlead.io/addresses": address } };
  const [object] = service({ name, members: [], spec: { selector: LABELS }, ...wish });
  return object as KubeObject;
}

/** Addresses that no Service gets without wishing for them before 2 048 others have theirs. */
export function wishedAddress(index: number): string {
  return `10.77.${12 + Math.floor(index / 256)}.${index % 256}`;
}

/** Makes Services of the two pods, four at a time. */
export function fillServices(kube: KubeClient, count: number, tell: Tell): Promise<void> {
  const objects = Array.from({ length: count }, (_, index) => podService(`crowd-${index}`));
  return createAll(kube, objects, { creators: CREATORS, tell });
}

/** Makes objects, so many at a time, in their order. */
export async function createAll(
  kube: KubeClient,
  objects: readonly KubeObject[],
  { creators, tell }: { readonly creators: number; readonly tell: Tell },
): Promise<void> {
  let next = 0;
  let toldMs = monotonicMs();
  const create = async (): Promise<void> => {
    for (let object = objects[next]; object !== undefined; object = objects[next]) {
      next += 1;
      await kube.create(object);
      if (monotonicMs() - toldMs < TELL_EVERY_MS) continue;
      toldMs = monotonicMs();
      tell(`  ${next} of ${objects.length} objects are made`);
    }
  };
  await Promise.all(Array.from({ length: creators }, create));
}

/** Waits until so many Services are proved to be served, and gives the time. */
export async function untilReady(stage: Stage, count: number, ms: number): Promise<number> {
  const place = controllerPage(stage);
  const endMs = monotonicMs() + ms;
  for (;;) {
    const ready = await readMetric(place, "fairlead_services", { state: "ready" });
    const nowMs = monotonicMs();
    if (ready === count) return nowMs;
    if (nowMs >= endMs) {
      const seen = describeList(await stage.asker.list());
      throw new Error(`${ready} of ${count} Services are ready after ${ms} ms:\n${seen}`);
    }
    await wait(LOOK_EVERY_MS);
  }
}
