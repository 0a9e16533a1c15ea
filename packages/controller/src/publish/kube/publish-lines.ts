// For tests: what was written to a cluster in memory and what was told of it, as lines. Given
// requests and troubles as they came.

import type { MemoryCluster, SeenWrite } from "../../kube/memory-cluster.ts";
import { childOf, listOf, textOf } from "../../kube/object-fields.ts";
import type { PublishTrouble } from "./publish-trouble.ts";

/** `+ REASON NAME: DETAIL`, `- NAME`. */
export function troubleLine(trouble: PublishTrouble): string {
  if (trouble.kind === "finding-cleared") return `- ${trouble.name}`;
  const { reason, name, detail } = trouble.finding;
  return `+ ${reason} ${name}: ${detail}`;
}

/** `hold web`, `status web 192.0.2.10`, `event web AddressAllocated`. */
export function writeLine({ method, path, body }: SeenWrite): string {
  const [, resource = "", name = "", part = ""] = RESOURCE.exec(path) ?? [];
  if (resource === "events") {
    const regarding = textOf(childOf(body, "regarding"), "name");
    if (method === "POST") return `event ${regarding} ${textOf(body, "reason")}`;
    return `count ${name.replace(/\.[^.]*$/u, "")} ${String(childOf(body, "series")["count"])}`;
  }
  if (part === "status") {
    const status = childOf(body, "status");
    if (Object.keys(status).length === 0) return `clear ${name}`;
    const entries = listOf(childOf(status, "loadBalancer"), "ingress");
    const addresses = JSON.stringify(entries).match(/\d+\.\d+\.\d+\.\d+/gu) ?? [];
    return ["status", name, ...addresses].join(" ");
  }
  const external = listOf(childOf(body, "spec"), "externalIPs").join(" ");
  if (external !== "") return `external ${name} ${external}`;
  const finalizers = listOf(childOf(body, "metadata"), "finalizers");
  return `${finalizers.includes("fairlead.io/release") ? "hold" : "release"} ${name}`;
}

/** `TYPE REASON ACTION: NOTE` of all Events, with ` xN` for those that repeated. */
export function told({ cluster }: { readonly cluster: MemoryCluster }): readonly string[] {
  return Array.from(cluster.events.values(), (event) => {
    const count = childOf(event, "series")["count"];
    const [type, reason, action, note] = ["type", "reason", "action", "note"].map((field) =>
      textOf(event, field),
    );
    return `${type} ${reason} ${action}: ${note}${count === undefined ? "" : ` x${JSON.stringify(count)}`}`;
  });
}

const RESOURCE = /\/(services|events)(?:\/([^/]+))?(?:\/([^/]+))?$/u;
