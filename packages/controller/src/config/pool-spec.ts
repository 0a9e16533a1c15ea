// The fields of a pool, the same in a manifest, in the config file and behind --pool, and what
// makes them a pool of the model. Unknown fields are an error here: one that was meant to limit
// who may use a pool must not be overlooked.

import {
  type AddressPool,
  type AddressRange,
  type AgentName,
  isLabel,
  parseAgentName,
  parseDeviceName,
  parsePoolName,
  parseRange,
  rangeText,
  rangesOverlap,
  scopeOfRange,
} from "@fairlead/model";
import { DURATION_FORMS, DURATION_MAX_TEXT, parseDuration } from "@fairlead/runtime";
import { z } from "zod";

import { absent } from "../sources/object-metadata.ts";
import { quote } from "../sources/quote.ts";
import { externalSchema, readExternal, type WrittenExternal } from "./external-spec.ts";
import { readSelector, selectorSchema, type WrittenSelector } from "./label-selector.ts";

/** Most ranges of one pool. */
const POOL_RANGES_MAX = 256;
const QUARANTINE_MS_DEFAULT = 60_000;

/** What is said of a pool that names no addresses. */
export const ADDRESSES_MISSING = "addresses is missing";

/** A pool's fields as written. */
export interface PoolSpec {
  /** Absent only with `external`. */
  readonly addresses?: readonly string[] | undefined;
  readonly external?: WrittenExternal | undefined;
  readonly mode?: "vrrp" | "host" | "link" | undefined;
  readonly autoAssign?: boolean | undefined;
  readonly avoidBuggyIPs?: boolean | undefined;
  readonly reserved?: readonly string[] | undefined;
  readonly sharing?: "ports" | "never" | undefined;
  /** A duration: 60s. */
  readonly quarantine?: string | undefined;
  readonly onShrink?: "keep" | "reassign" | undefined;
  readonly priority?: number | undefined;
  readonly namespaces?: readonly string[] | undefined;
  readonly serviceSelector?: WrittenSelector | undefined;
  readonly agents?: readonly string[] | undefined;
  readonly link?: string | undefined;
}

/** The fields of a pool for a schema of a manifest or a file. */
export const POOL_SPEC_FIELDS: { readonly [Key in keyof PoolSpec]-?: z.ZodType<PoolSpec[Key]> } = {
  addresses: absent(z.array(z.string()).max(POOL_RANGES_MAX)),
  external: absent(externalSchema),
  mode: absent(z.enum(["vrrp", "host", "link"])),
  autoAssign: absent(z.boolean()),
  avoidBuggyIPs: absent(z.boolean()),
  reserved: absent(z.array(z.string()).max(POOL_RANGES_MAX)),
  sharing: absent(z.enum(["ports", "never"])),
  quarantine: absent(z.string()),
  onShrink: absent(z.enum(["keep", "reassign"])),
  priority: absent(z.int().min(-1_000_000).max(1_000_000)),
  namespaces: absent(z.array(z.string())),
  serviceSelector: absent(selectorSchema),
  agents: absent(z.array(z.string())),
  link: absent(z.string()),
};

/** What is wrong with a pool, by the reason it gets. */
export interface PoolProblem {
  readonly reason: "BadName" | "BadField" | "BadPoolRange";
  readonly detail: string;
}

/** A pool, or everything that is wrong with it. */
export type PoolReading =
  | { readonly kind: "ok"; readonly pool: AddressPool }
  | { readonly kind: "bad"; readonly problems: readonly PoolProblem[] };

/** Makes a pool of its written fields. `origin` says where it stands, for people. */
export function readPool(options: {
  readonly name: string;
  readonly origin: string;
  readonly createdAtMs?: number | undefined;
  readonly spec: PoolSpec;
}): PoolReading {
  const { spec, createdAtMs } = options;
  const problems: PoolProblem[] = [];
  const name = parsePoolName(options.name);
  if (name === undefined) {
    problems.push({ reason: "BadName", detail: `${quote(options.name)} is no pool name` });
  }
  const ranges = readRanges(spec.addresses ?? [], problems);
  const external = readExternal(spec.external, (detail) => problems.push(badField(detail)));
  problems.push(...addressFaults(spec));
  problems.push(...overlaps(ranges));
  const reserved = readRanges(spec.reserved ?? [], problems);
  problems.push(...strayReserved(ranges, reserved));
  const agents = readAgents(spec.agents ?? [], problems);
  const serviceSelector = readSelector(spec.serviceSelector, (detail) => {
    problems.push(badField(detail));
  });
  const quarantineMs = readQuarantine(spec.quarantine, problems);
  const link = spec.link === undefined ? undefined : parseDeviceName(spec.link);
  if (spec.link !== undefined && link === undefined) {
    problems.push(badField(`link: ${quote(spec.link)} is no device name`));
  }
  for (const namespace of spec.namespaces ?? []) {
    if (isLabel(namespace)) continue;
    problems.push({ reason: "BadName", detail: `${quote(namespace)} is no namespace` });
  }
  if (name === undefined || problems.length > 0) return { kind: "bad", problems };
  return {
    kind: "ok",
    pool: {
      name,
      origin: options.origin,
      ...(createdAtMs === undefined ? {} : { createdAtMs }),
      ranges,
      mode: spec.mode ?? "vrrp",
      autoAssign: spec.autoAssign ?? true,
      avoidBuggyIPs: spec.avoidBuggyIPs ?? false,
      reserved,
      sharing: spec.sharing ?? "ports",
      quarantineMs,
      onShrink: spec.onShrink ?? "keep",
      priority: spec.priority ?? 0,
      namespaces: spec.namespaces ?? [],
      serviceSelector,
      agents,
      ...(link === undefined ? {} : { link }),
      ...(external === undefined ? {} : { external }),
    },
  };
}

/** A pool has addresses of its own, or an IPAM's. */
function addressFaults({ addresses, external, mode }: PoolSpec): PoolProblem[] {
  if (external === undefined) {
    if (addresses === undefined) return [badRange(ADDRESSES_MISSING)];
    return addresses.length === 0 ? [badRange("addresses is empty")] : [];
  }
  return [
    ...(addresses === undefined ? [] : [badField("addresses: they come from external alone")]),
    ...(mode === "host" ? [badField("mode: host needs addresses of the pool's own")] : []),
  ];
}

function readRanges(texts: readonly string[], problems: PoolProblem[]): AddressRange[] {
  const ranges: AddressRange[] = [];
  for (const text of texts) {
    const range = parseRange(text);
    if (range.kind === "bad") {
      problems.push(badRange(`${quote(text)}: ${range.problem}`));
      continue;
    }
    const scope = scopeOfRange(range.value);
    if (scope === "unicast") ranges.push(range.value);
    else problems.push(badRange(`${quote(text)} holds ${scope} addresses, not unicast ones alone`));
  }
  return ranges;
}

function overlaps(ranges: readonly AddressRange[]): PoolProblem[] {
  for (const [index, range] of ranges.entries()) {
    const other = ranges.slice(index + 1).find((later) => rangesOverlap(range, later));
    if (other === undefined) continue;
    return [badRange(`${rangeText(range)} and ${rangeText(other)} overlap`)];
  }
  return [];
}

/** What is reserved of a family that the pool has no address of protects nothing. */
function strayReserved(
  ranges: readonly AddressRange[],
  reserved: readonly AddressRange[],
): PoolProblem[] {
  const stray = reserved.find(({ family }) => !ranges.some((range) => range.family === family));
  if (stray === undefined || ranges.length === 0) return [];
  return [badRange(`reserved has ${stray.family} addresses, and addresses has none`)];
}

function readAgents(names: readonly string[], problems: PoolProblem[]): AgentName[] {
  return names.flatMap((text) => {
    const name = parseAgentName(text);
    if (name !== undefined) return [name];
    problems.push({ reason: "BadName", detail: `agents: ${quote(text)} is no agent name` });
    return [];
  });
}

function readQuarantine(text: string | undefined, problems: PoolProblem[]): number {
  const ms = text === undefined ? QUARANTINE_MS_DEFAULT : parseDuration(text);
  if (ms !== undefined) return ms;
  const expected = `expected ${DURATION_FORMS}, at most ${DURATION_MAX_TEXT}`;
  problems.push(badField(`quarantine: ${quote(text ?? "")}: ${expected}`));
  return QUARANTINE_MS_DEFAULT;
}

const badRange = (detail: string): PoolProblem => ({ reason: "BadPoolRange", detail });
const badField = (detail: string): PoolProblem => ({ reason: "BadField", detail });
