// From the creation of a Service in a real cluster to the first request that a client gets answered
// through its address, and to its status; alone, and among 1 000 others. The address is wished for,
// so that the client is trying before the Service exists. The floor is nginx's own test and reload.

import { setTimeout as wait } from "node:timers/promises";

import { monotonicMs, startProbe } from "@fairlead/lab";
import type { KubeEvent } from "@fairlead/testkit";

import { KINDS } from "../e2e/stage/cluster-objects.ts";
import { statusOf, untilAddresses, untilGone } from "../e2e/stage/cluster-views.ts";
import type { Stage } from "../e2e/stage/stage.ts";
import {
  createClusterStage,
  fillServices,
  podService,
  type Tell,
  untilReady,
  wishedAddress,
} from "./cluster-stage.ts";
import { roundsOf, servicesOf } from "./counts.ts";
import { type Figure, quantile } from "./goal.ts";
import { bareReloads } from "./reload-floor.ts";

const CROWD = 1000;
const ROUNDS = 30;
const RELOADS = 12;
/** Longer than a reload of the file of the crowd on three hosts at once. */
const RELOAD_EVERY_MS = 1500;
/** Rounds stand this far apart, so that none waits for the reload of the one before. */
const APART_MS = 1500;
/** The client tries for at least this long before, and up to a second more: see `createOnce`. */
const TRY_BEFORE_MS = 300;
const ARP_EVERY_MS = 1000;
const STEP_MS_MAX = 30_000;
const CROWD_MS_MAX = 180_000;
/** MetalLB v0.16.2 on a like machine, until an ARP answer: it has moved no packet then. */
const METALLB_ARP = { alone: "MetalLB's first ARP answer: 20.1", crowd: "MetalLB's: 27.1" };
const METALLB_STATUS = { alone: "MetalLB 13.9", crowd: "MetalLB 20.6" };

/** Measures; takes about five minutes. */
export async function benchClusterCreate(tell: Tell): Promise<readonly Figure[]> {
  await using stage = await createClusterStage();
  const alone = await createSome(stage, 0, tell);
  const crowd = servicesOf(CROWD);
  await fillServices(stage.api().kube, crowd, tell);
  tell(`  ${crowd} Services are made`);
  await untilReady(stage, crowd, CROWD_MS_MAX);
  tell("  and served");
  await wait(APART_MS);
  const among = await createSome(stage, crowd, tell);
  return [...figures("alone", alone), ...figures("crowd", among)];
}

/** One creation; times in ms since the create was sent. */
interface Creation {
  readonly postedMs: number;
  readonly slicedMs: number;
  /** When the first kernel had the address. */
  readonly heldMs: number;
  readonly answeredMs: number;
  readonly statusMs: number;
}

interface Creations {
  readonly others: number;
  readonly floorMs: number;
  readonly samples: readonly Creation[];
}

async function createSome(stage: Stage, others: number, tell: Tell): Promise<Creations> {
  const floorMs = await reloadFloor(stage);
  tell(`  bare tests and reloads with ${others} others, p50: ${floorMs.toFixed(0)} ms`);
  const samples: Creation[] = [];
  const rounds = roundsOf(ROUNDS);
  for (let round = 0; round < rounds; round += 1) {
    const sample = await createOnce(stage, `web-${others}-${round}`, wishedAddress(round));
    samples.push(sample);
    const { answeredMs, statusMs } = sample;
    const times = `answered ${answeredMs.toFixed(0)} ms, status ${statusMs.toFixed(0)} ms`;
    tell(`  create ${round + 1} of ${rounds}: ${times}`);
  }
  return { others, floorMs, samples };
}

/** Of the file with one Service more than there are others. */
async function reloadFloor(stage: Stage): Promise<number> {
  const { kube } = stage.api();
  await kube.create(podService("floor"));
  await untilAddresses(kube, "floor", "some", STEP_MS_MAX);
  const options = { rounds: roundsOf(RELOADS), everyMs: RELOAD_EVERY_MS };
  const times = await bareReloads(stage, options);
  await remove(stage, "floor");
  return quantile(times, 0.5);
}

async function createOnce(stage: Stage, name: string, address: string): Promise<Creation> {
  const { kube } = stage.api();
  await using probe = await startProbe(stage.client, { address, port: 80 });
  const namespace = "default";
  using services = await kube.watch(KINDS.service, {
    namespace,
    fields: `metadata.name=${name}`,
  });
  const labels = `kubernetes.io/service-name=${name}`;
  using slices = await kube.watch(KINDS.endpointSlice, { namespace, labels });
  // The client's kernel asks for the address once a second: each round meets another moment of it.
  await wait(TRY_BEFORE_MS + Math.random() * ARP_EVERY_MS);
  const begunMs = monotonicMs();
  await kube.create(podService(name, address));
  const postedMs = monotonicMs();
  const [first, sliced, written] = await Promise.all([
    probe.waitForAnswer(STEP_MS_MAX, 0),
    slices.until("the slice names both pods", firstOf(hasBoth), STEP_MS_MAX),
    services.until("the status has the address", firstOf(hasAddress(address)), STEP_MS_MAX),
  ]);
  const held = stage.recorder
    .history()
    .find((one) => one.address === address && one.event === "added" && one.atMs >= begunMs);
  if (held === undefined) throw new Error(`${address} answers and nobody has it`);
  await probe.stop();
  await remove(stage, name);
  return {
    postedMs: postedMs - begunMs,
    slicedMs: sliced.atMs - begunMs,
    heldMs: held.atMs - begunMs,
    answeredMs: first.atMs + first.tookMs - begunMs,
    statusMs: written.atMs - begunMs,
  };
}

async function remove(stage: Stage, name: string): Promise<void> {
  const { kube } = stage.api();
  await kube.remove({ ...KINDS.service, name });
  await untilGone(kube, name);
  await wait(APART_MS);
}

function firstOf(
  look: (event: KubeEvent) => boolean,
): (events: readonly KubeEvent[]) => KubeEvent | undefined {
  return (events) => events.find(look);
}

function hasBoth({ object }: KubeEvent): boolean {
  return (object["endpoints"] as readonly unknown[] | undefined)?.length === 2;
}

function hasAddress(address: string): (event: KubeEvent) => boolean {
  return ({ object }) => statusOf(object)?.addresses.includes(address) === true;
}

function figures(who: "alone" | "crowd", creations: Creations): readonly Figure[] {
  const { others, floorMs: floor, samples } = creations;
  const unit = "ms";
  const at = (share: number, time: (one: Creation) => number): number =>
    quantile(samples.map(time), share);
  const answered = (one: Creation): number => one.answeredMs;
  const status = (one: Creation): number => one.statusMs;
  const name = `with ${others} others`;
  return [
    { what: `${name}: bare nginx -t and reload on all three, p50`, value: floor, unit },
    {
      what: `${name}: create -> first answer, p50`,
      value: at(0.5, answered),
      unit,
      floor,
      goal: 350,
      beside: METALLB_ARP[who],
    },
    { what: `${name}: create -> first answer, worst`, value: at(1, answered), unit, floor },
    {
      what: `${name}: create -> status, p50`,
      value: at(0.5, status),
      unit,
      floor,
      goal: 400,
      beside: METALLB_STATUS[who],
    },
    { what: `${name}: create -> status, worst`, value: at(1, status), unit, floor },
    { what: `${name}: of it until posted, p50`, value: at(0.5, (one) => one.postedMs), unit },
    { what: `${name}: until in a slice, p50`, value: at(0.5, (one) => one.slicedMs), unit },
    { what: `${name}: until held, p50`, value: at(0.5, (one) => one.heldMs), unit },
  ];
}
