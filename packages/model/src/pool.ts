// A pool: a named set of ranges and the rules for who may use them.
// Parsed and checked at an edge; overlap between pools is judged by the planner.

import type { AddressRange } from "./cidr.ts";
import type { AgentName, DeviceName, PoolName } from "./name.ts";
import type { ExternalPool } from "./registration.ts";

/**
 * How an address of the pool lives on hosts. `vrrp`: it floats among the pool's agents. `host`:
 * every selected agent has one of its own. `link`: it is added to one host's device.
 */
export type PoolMode = "vrrp" | "host" | "link";

/** What labels must be, as Kubernetes has it: all of it must hold, and an empty one always does. */
export interface LabelSelector {
  /** Labels that must be present with these values. */
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly LabelRequirement[];
}

/** One thing that a label must be; a label that is absent is in no list. */
export type LabelRequirement =
  | {
      readonly key: string;
      readonly operator: "In" | "NotIn";
      /** Never empty. */
      readonly values: readonly string[];
    }
  | { readonly key: string; readonly operator: "Exists" | "DoesNotExist" };

/** A pool of addresses and its rules. */
export interface AddressPool {
  readonly name: PoolName;
  /** Where it was declared, for people: `--pool`, the config file, or a manifest's file. */
  readonly origin: string;
  /** Epoch ms when it was made; of two overlapping pools the newer is refused. */
  readonly createdAtMs?: number;
  /** In the order written; never empty, but of an external pool that was given nothing. */
  readonly ranges: readonly AddressRange[];
  readonly mode: PoolMode;
  /** Whether claims that name no pool may be served from it. Default true. */
  readonly autoAssign: boolean;
  /** Leaves out IPv4 addresses that end in .0 and .255, which old clients refuse. Default false. */
  readonly avoidBuggyIPs: boolean;
  /** Addresses inside the ranges that are never given. */
  readonly reserved: readonly AddressRange[];
  /** `ports`: several claims on one address by a sharing key. `never`: one claim an address. */
  readonly sharing: "ports" | "never";
  /** How long a released address rests, in ms; 60 000 by default. */
  readonly quarantineMs: number;
  /** What happens to addresses in use that no longer lie in the pool. */
  readonly onShrink: "keep" | "reassign";
  /** Higher is tried first; 0 by default; then by name. */
  readonly priority: number;
  /** Namespaces that may use it; empty means all. */
  readonly namespaces: readonly string[];
  /** Labels that a Service must carry to use it. */
  readonly serviceSelector: LabelSelector;
  /** Agents that may hold its addresses; empty means all. */
  readonly agents: readonly AgentName[];
  /** Device that must hold its addresses on every agent; absent: by subnet. */
  readonly link?: DeviceName;
  /** Whose addresses it gives; absent: its own. Never with mode host. */
  readonly external?: ExternalPool;
}
