// The Kubernetes side of a chain: what the Service's status says, and who wrote which part of the
// object when. Pure. Given the record of the Service; what it asks for is told elsewhere.

import type { Finding, Verdict } from "@fairlead/model";

import { FINALIZER, type FieldWriter, type ServiceRecord } from "../../kube/service-record.ts";
import type { AdminContext } from "./admin-context.ts";
import { type ExplainInit, type Link, link, tellChain } from "./chain.ts";

/** Whether the status says what was proved; for a Service of a cluster. */
export function statusLink(
  { view }: AdminContext,
  { claim, state, addresses }: Verdict,
  record: ServiceRecord,
): Link {
  const wanted = addresses.filter((one) => one.published).map(({ address }) => address);
  const said = record.ingress.map(({ ip, hostname }) => ip ?? hostname ?? "nothing");
  const isSaid = wanted.join() === said.join();
  if (wanted.length === 0 && isSaid) {
    return link("Published", "unknown", "not in its status, where only proved addresses stand");
  }
  if (!isSaid) {
    const shall = wanted.length === 0 ? "no address" : wanted.join(" and ");
    const says = said.length === 0 ? "no address" : said.join(" and ");
    const hindrance = view.findings.find((finding) => keepsFrom(finding, record));
    if (hindrance !== undefined) {
      const { reason, detail } = hindrance;
      const what = `its status says ${says}, shall say ${shall} and cannot be written`;
      return link("Published", "broken", `${what}: ${detail}`, { reason });
    }
    const detail = `its status says ${says} and is being changed to ${shall}`;
    return link("Published", "doubt", detail);
  }
  const detail = `${wanted.join(" and ")} in its status`;
  if (state !== "ready") return link("Published", "doubt", `${detail} since it was proved once`);
  return link("Published", "good", detail, { sinceMs: view.times.get(claim)?.sinceMs });
}

/** Whether it is what keeps the Service from being written: a right, or a refusal that names it. */
function keepsFrom(
  { subject, name, reason, detail }: Finding,
  service: Pick<ServiceRecord, "namespace" | "name">,
): boolean {
  if (subject !== "source" || reason !== "PublishFailed") return false;
  if (RIGHTS.has(name)) return true;
  const path = `/api/v1/namespaces/${service.namespace}/services/${service.name}`;
  return detail.split(/[\s:?]+/u).some((word) => word === path || word === `${path}/status`);
}

/** As findings name the rights without which no status is written: the finalizer comes first. */
const RIGHTS: ReadonlySet<string> = new Set([
  "kubernetes patch services",
  "kubernetes patch services/status",
]);

/** Who wrote which part of the object, the latest first. */
export function writtenLink({ nowMs }: AdminContext, record: ServiceRecord): Link {
  const { uid, resourceVersion, writers, finalizers, isDeleting } = record;
  const wrote = writers
    .toSorted((a, b) => timeOf(b) - timeOf(a))
    .map((writer) => writerText(writer, nowMs))
    .join("; ");
  const kept = finalizers.includes(FINALIZER) ? `; ${FINALIZER} keeps it until release` : "";
  const ends = isDeleting ? "; it is being deleted" : "";
  const who = wrote === "" ? "nobody says who wrote it" : wrote;
  const detail = `${who}${kept}${ends}; uid ${uid}, version ${resourceVersion}`;
  return link("Written", isDeleting ? "doubt" : "good", detail);
}

/** The chain of a Service that a cluster has and that asks for nothing. */
export function explainUnasked(context: AdminContext, record: ServiceRecord): ExplainInit {
  const { namespace, name, type, isDeleting } = record;
  const why = isDeleting
    ? "it is being deleted, so it asks for nothing any more"
    : `it asks for nothing: it is of type ${type}, and has no label fairlead.io/expose: "true"`;
  const links = [
    link("Seen", "good", "the cluster has it"),
    link("Asked", "unknown", why),
    writtenLink(context, record),
  ];
  return tellChain(`Service ${namespace}/${name}`, links, context.nowMs);
}

function writerText({ manager, parts, time }: FieldWriter, nowMs: number): string {
  const wrote = `${manager} wrote ${parts.join(", ")}`;
  const atMs = time === undefined ? Number.NaN : Date.parse(time);
  if (Number.isNaN(atMs)) return wrote;
  // The API server keeps whole seconds, by its own clock.
  return `${wrote} ${ageText(Math.max(0, nowMs - atMs))} ago`;
}

function timeOf({ time }: FieldWriter): number {
  return time === undefined ? 0 : Date.parse(time) || 0;
}

const UNITS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, "d"],
  [3600, "h"],
  [60, "m"],
];

function ageText(ageMs: number): string {
  const seconds = Math.round(ageMs / 1000);
  const [per, unit] = UNITS.find(([size]) => seconds >= size) ?? [1, "s"];
  return `${Math.floor(seconds / per)}${unit}`;
}
