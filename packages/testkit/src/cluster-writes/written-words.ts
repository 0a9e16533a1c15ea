// Our writes as stories of them say it: made of what stands there, sent as the publisher sends
// them, and what came of them in a few words. Given the stage. It knows no answer that is right.

import {
  type EventSeries,
  failureResult,
  isKubeError,
  type KubeClient,
  type KubeRequest,
  readServiceRecord,
  type ServiceRecord,
  type ServiceWrite,
  writeRequest,
} from "@fairlead/controller";
import { present } from "@fairlead/model";

import { defined, isJson, type Json } from "../kube-stub/json-tree.ts";
import type { WriteStage } from "./write-stage.ts";

/** A write to a Service as it was seen. */
export type MakeWrite = (record: ServiceRecord) => ServiceWrite;

/** The name of an Event of stories. */
export const EVENT = "web.0123456789abcdef";

/** The moment that conditions of stories have. */
export const STORY_TIME = "2026-01-01T00:00:00Z";

/** The finalizer comes. */
export const hold: MakeWrite = (record) => ({ kind: "hold", record });
/** The finalizer goes. */
export const release: MakeWrite = (record) => ({ kind: "release", record });
/** What we said in the status goes. */
export const clear: MakeWrite = (record) => ({ kind: "clear", record });

/** The status has these addresses and is `Serving`. */
export function serve(...addresses: readonly string[]): MakeWrite {
  return say({ addresses, types: ["Serving"] });
}

/** The status has these addresses, or nothing is said of them, and conditions of these types. */
export function say(said: {
  readonly addresses?: readonly string[];
  readonly types: readonly string[];
}): MakeWrite {
  const { addresses, types } = said;
  const conditions = types.map((type) => ({
    type: `fairlead.io/${type}`,
    status: "True" as const,
    reason: "Proved",
    message: "lb-1 holds it.",
    lastTransitionTime: STORY_TIME,
  }));
  const ingress = addresses?.map((ip) => ({ ip, ipMode: "Proxy" as const }));
  const status = { conditions, ...(ingress === undefined ? {} : { ingress }) };
  return (record) => ({ kind: "status", record, status, news: "addresses" });
}

/** spec.externalIPs is `others` and then `ours`. */
export function external(others: readonly string[], ours: readonly string[]): MakeWrite {
  const list = { all: [...others, ...ours], ours };
  return (record) => ({ kind: "external", record, list });
}

/** Each sort of write, by the name that a failure shows. */
export const EVERY_WRITE: Readonly<Record<string, MakeWrite>> = {
  hold,
  release,
  status: serve("192.0.2.10"),
  clear,
  external: external([], ["192.0.2.10"]),
};

/** A Service that is there, as the publisher reads it. */
export async function recordOf(stage: WriteStage, name: string): Promise<ServiceRecord> {
  return readServiceRecord(present(await stage.look(name), `${name} is there`));
}

/** Makes these writes one after the other, each of what stands then. Gives the last answer. */
export async function write(
  stage: WriteStage,
  name: string,
  ...writes: readonly [MakeWrite, ...(readonly MakeWrite[])]
): Promise<ServiceRecord> {
  let answer: unknown;
  for (const make of writes) {
    answer = await stage.client.request(writeRequest(make(await recordOf(stage, name))));
  }
  return readServiceRecord(isJson(answer) ? answer : {});
}

/** Makes the Service `web`, and gives what is to be told of it for the first time. */
export async function seriesOf(stage: WriteStage): Promise<EventSeries> {
  await stage.create("web");
  const { namespace, name, uid, resourceVersion } = await recordOf(stage, "web");
  const firstWallMs = Date.parse(STORY_TIME);
  const note = "192.0.2.10 is allocated (pool default).";
  const draft = { reason: "AddressAllocated", action: "Allocate", type: "Normal", note } as const;
  const times = { firstWallMs, lastWallMs: firstWallMs, lastMs: 0, saidMs: 0 };
  return {
    key: "as the recorder has it",
    regarding: { namespace, name, uid, resourceVersion },
    draft: { ...draft, about: "192.0.2.10" },
    name: EVENT,
    ...times,
    count: 1,
    saidCount: 0,
  };
}

/** The request with other fields in its body; undefined takes one away. */
export function withFields(request: KubeRequest, fields: Json): KubeRequest {
  const body = isJson(request.body) ? request.body : {};
  return { ...request, body: defined({ ...body, ...fields }) };
}

/** What comes of a request: `written`, or `RESULT CODE` as the publisher takes it. */
export async function cameTo(client: KubeClient, request: KubeRequest): Promise<string> {
  try {
    await client.request(request);
    return "written";
  } catch (error) {
    const result = failureResult(error);
    if (result === undefined || !isKubeError(error)) throw error;
    return `${result} ${error.code}`;
  }
}

/** What comes of each sort of write to a Service that was seen so. */
export async function cameToEach(
  client: KubeClient,
  seen: ServiceRecord,
): Promise<Readonly<Record<string, string>>> {
  const all: Record<string, string> = {};
  for (const [sort, make] of Object.entries(EVERY_WRITE)) {
    all[sort] = await cameTo(client, writeRequest(make(seen)));
  }
  return all;
}

/** The same of each sort of write. */
export function eachOf(came: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(EVERY_WRITE).map((sort) => [sort, came]));
}

/** `MANAGER: PARTS` of what is ours in a Service, by the server's account of fields. */
export function oursIn({ writers }: ServiceRecord): readonly string[] {
  return writers
    .filter(({ manager }) => manager.startsWith("fairlead-"))
    .map(({ manager, parts }) => `${manager}: ${parts.join(" ")}`)
    .toSorted();
}
