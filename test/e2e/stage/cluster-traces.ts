// What the controller left behind in a real cluster: Events with how often each happened, and what
// it asked of the API server. Given the cluster's clients. Services of such stories are made here.

import { type AuditEntry, type Cluster, isWrite } from "@fairlead/lab";
import type { KubeClient, KubeObject, KubeTarget, KubeWatch } from "@fairlead/testkit";

import { CONTROLLER_USER } from "./api-host.ts";
import { KINDS } from "./cluster-objects.ts";
import { statusOf } from "./cluster-views.ts";
import { service, type ServiceOptions, type ServicePort } from "./manifests.ts";
import type { StageOptions } from "./stage.ts";

/** A stage whose Services come from a cluster, and whose members are those of EndpointSlices. */
export const CLUSTER: StageOptions = {
  source: "kubernetes",
  controllerFlags: ["--members=endpoints"],
};

/** An Event of a Service. */
export interface ToldEvent {
  readonly reason: string;
  readonly note: string;
  /** How often it happened, the repetitions that it counts included. */
  readonly count: number;
}

/** Makes a Service after the EndpointSlice of those who answer. Gives the Service. */
export async function addService(kube: KubeClient, options: ServiceOptions): Promise<KubeObject> {
  const [made, ...slices] = service(options);
  await Promise.all(slices.map((slice) => kube.create(slice as KubeObject)));
  return kube.create(made as KubeObject);
}

/** Gives a Service and the EndpointSlice of those who answer other ports. */
export async function changePorts(
  kube: KubeClient,
  name: string,
  ports: readonly ServicePort[],
): Promise<void> {
  const [object, slice] = service({ name, ports });
  const { spec } = object as KubeObject & { readonly spec: { readonly ports: unknown } };
  await kube.patch(serviceTarget(name), { spec: { ports: spec.ports } });
  await kube.patch({ ...KINDS.endpointSlice, name: `${name}-ipv4` }, { ports: slice?.["ports"] });
}

/** Which object the Service of this name is. */
export function serviceTarget(name: string, namespace = "default"): KubeTarget {
  return { ...KINDS.service, namespace, name };
}

/** All Events about this very object, in no order. */
export async function toldOf(
  kube: KubeClient,
  { metadata }: KubeObject,
): Promise<readonly ToldEvent[]> {
  const all = await kube.list(KINDS.event);
  return all.filter((event) => regards(event, metadata.uid)).map(toldEvent);
}

/** How often this was told of the object. */
export async function timesTold(
  kube: KubeClient,
  object: KubeObject,
  reason: string,
): Promise<number> {
  const events = await toldOf(kube, object);
  const counts = events.filter((event) => event.reason === reason).map(({ count }) => count);
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Waits until an Event with this reason, and a note that begins so, is told of the object. */
export async function untilTold(
  kube: KubeClient,
  { metadata }: KubeObject,
  wanted: { readonly reason: string; readonly note?: string; readonly ms?: number },
): Promise<void> {
  const { reason, note = "", ms } = wanted;
  using watch = await kube.watch(KINDS.event);
  await watch.until(
    `${reason} is told of ${metadata.name}`,
    (events) => {
      const objects = events.map(({ object }) => object);
      const told = objects.filter((event) => regards(event, metadata.uid)).map(toldEvent);
      const isTold = told.some((one) => one.reason === reason && one.note.startsWith(note));
      return isTold ? true : undefined;
    },
    ms,
  );
}

/** Every address that the status of this very Service had at any time of the watch. */
export function addressesShown(seen: KubeWatch, { metadata }: KubeObject): readonly string[] {
  const own = seen.events().filter(({ object }) => object.metadata.uid === metadata.uid);
  return [...new Set(own.flatMap(({ object }) => statusOf(object)?.addresses ?? []))];
}

/** What the controller's user asked for since then, in the order in which it was answered. */
export async function askedByController(
  cluster: Cluster,
  sinceMs = 0,
): Promise<readonly AuditEntry[]> {
  const log = await cluster.auditLog();
  return log.filter(({ user, receivedMs }) => user === CONTROLLER_USER && receivedMs >= sinceMs);
}

/** What the controller has written since then: `patch services/status default/web`. */
export async function writtenByController(
  cluster: Cluster,
  sinceMs = 0,
): Promise<readonly string[]> {
  const asked = await askedByController(cluster, sinceMs);
  return asked
    .filter((entry) => isWrite(entry) && entry.status < 300)
    .map(({ verb, resource, namespace, name }) => `${verb} ${resource} ${namespace}/${name}`);
}

function regards(event: KubeObject, uid: string | undefined): boolean {
  return (event["regarding"] as { readonly uid?: string } | undefined)?.uid === uid;
}

function toldEvent(event: KubeObject): ToldEvent {
  const { reason, note, series } = event as KubeObject & {
    readonly reason: string;
    readonly note: string;
    readonly series?: { readonly count: number };
  };
  return { reason, note, count: series?.count ?? 1 };
}
