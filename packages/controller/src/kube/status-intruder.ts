// Who besides us writes the load-balancer status of a Service that we serve. Pure. Given the
// record, in which the API server names every writer. What people's hands wrote is no matter of two
// controllers that disagree.

import { FINALIZER, type ServiceRecord, STATUS_MANAGER } from "./service-record.ts";

/** Field managers of people: what they wrote into a status of ours is put right without a word. */
const HANDS = /^kubectl/u;

/** Whether this field manager stands for somebody's hand. */
export function isHand(manager: string): boolean {
  return HANDS.test(manager);
}

/**
 * The program whose addresses stand in the status of a Service of ours instead of our own;
 * undefined: nobody's do. Where we wrote the same they are ours too.
 */
export function statusIntruder(record: StatusAccount): string | undefined {
  const { finalizers, conditions, ingress, writers } = record;
  // A server goes on naming who wrote addresses that went with the type of the Service.
  if (ingress.length === 0) return undefined;
  // The finalizer says whose the Service is. What stood there before our first word is no matter.
  if (!finalizers.includes(FINALIZER) || conditions.length === 0) return undefined;
  const managers = writers
    .filter(({ parts }) => parts.includes("status.loadBalancer"))
    .map(({ manager }) => manager);
  if (managers.includes(STATUS_MANAGER)) return undefined;
  return managers.find((manager) => !isHand(manager));
}

/** What of a record tells of it. */
type StatusAccount = Pick<ServiceRecord, "finalizers" | "conditions" | "ingress" | "writers">;
