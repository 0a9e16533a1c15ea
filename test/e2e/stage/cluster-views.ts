// What a cluster says of a Service, as stories ask for it: its addresses, conditions, finalizers
// and Events. Given objects as an API server gives them.

import type { KubeClient, KubeObject } from "@fairlead/testkit";

import { KINDS } from "./cluster-objects.ts";

/** The finalizer that keeps a Service until its addresses are released. */
export const FINALIZER = "fairlead.io/release";

/** A Service's status in short. */
export interface ServiceStatus {
  /** `ip` of status.loadBalancer.ingress. */
  readonly addresses: readonly string[];
  /** `Serving True Proved`, one of each type of ours, without the prefix. */
  readonly conditions: readonly string[];
  readonly finalizers: readonly string[];
}

/** Reads it; undefined when there is no Service. */
export function statusOf(object: KubeObject | undefined): ServiceStatus | undefined {
  if (object === undefined) return undefined;
  const status = (object["status"] ?? {}) as {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] };
    readonly conditions?: readonly Readonly<Record<string, string>>[];
  };
  const conditions = (status.conditions ?? [])
    .filter(({ type = "" }) => type.startsWith("fairlead.io/"))
    .map(({ type = "", status: is, reason }) => `${type.slice(12)} ${is} ${reason}`);
  return {
    addresses: (status.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? ""),
    conditions: conditions.toSorted(),
    finalizers: (object.metadata["finalizers"] ?? []) as readonly string[],
  };
}

/** Waits until the Service's status has exactly these addresses, and gives it. */
export function untilAddresses(
  kube: KubeClient,
  name: string,
  addresses: readonly string[] | "some",
  ms?: number,
): Promise<ServiceStatus> {
  const what = addresses === "some" ? "an address" : addresses.join(" and ") || "no address";
  return kube.until(
    `the status has ${what}`,
    { ...KINDS.service, name },
    (object) => {
      const status = statusOf(object);
      if (status === undefined) return undefined;
      if (addresses === "some") return status.addresses.length > 0 ? status : undefined;
      return status.addresses.join() === addresses.join() ? status : undefined;
    },
    ms,
  );
}

/** Waits until there is no such Service any more. */
export async function untilGone(kube: KubeClient, name: string): Promise<void> {
  await kube.until("it is gone", { ...KINDS.service, name }, (object) =>
    object === undefined ? true : undefined,
  );
}

/** As whom we say Events; the API server has words of its own for Services. */
const REPORTER = "fairlead.io/controller";

/** Reasons of all Events of ours about a Service of this name, in the order of their times. */
export async function eventsOf(kube: KubeClient, name: string): Promise<readonly string[]> {
  const events = await kube.list(KINDS.event, { namespace: "default" });
  return events
    .map((event) => event as KubeObject & EventFields)
    .filter(({ regarding, reportingController }) => {
      return regarding?.name === name && reportingController === REPORTER;
    })
    .toSorted((a, b) => ((a.eventTime ?? "") < (b.eventTime ?? "") ? -1 : 1))
    .map(({ reason }) => reason ?? "");
}

/** Waits until there is an Event of this reason about a Service of this name. */
export async function untilEvent(kube: KubeClient, name: string, reason: string): Promise<void> {
  using events = await kube.watch(KINDS.event, { namespace: "default" });
  await events.until(`there is an Event ${reason} about ${name}`, (all) => {
    const told = all.map(({ object }) => object as KubeObject & EventFields);
    return told.some((one) => one.regarding?.name === name && one.reason === reason) || undefined;
  });
}

/** Waits until the Events of this reason about a Service of this name are one with this count. */
export async function untilCounted(
  kube: KubeClient,
  name: string,
  told: { readonly reason: string; readonly times: number; readonly ms?: number },
): Promise<void> {
  using events = await kube.watch(KINDS.event, { namespace: "default" });
  await events.until(
    `${told.reason} about ${name} is counted`,
    (all) => {
      const byName = new Map<string, number>();
      for (const { object } of all) {
        const { regarding, reason, series } = object as KubeObject & EventFields;
        if (regarding?.name !== name || reason !== told.reason) continue;
        byName.set(object.metadata.name, series?.count ?? 1);
      }
      const counts = [...byName.values()];
      return (counts.length === 1 && counts[0] === told.times) || undefined;
    },
    told.ms,
  );
}

interface EventFields {
  readonly regarding?: { readonly name?: string };
  readonly reportingController?: string;
  readonly series?: { readonly count: number };
  readonly eventTime?: string;
  readonly reason?: string;
}
