// Reads how traffic of a Service is to be treated. Pure. A bad value that would change what bytes
// mean refuses the claim; one that only tunes is left out and said. What is wished for and not
// served yet is a remark: traffic flows without it.

import type { Affinity, Balance, Datapath, TrafficPolicy } from "@fairlead/model";
import { DURATION_FORMS, nearestWord, parseDuration } from "@fairlead/runtime";

import { ALIASES, PREFIX, type Wish, unknownKeys } from "./aliases.ts";
import { quote } from "./quote.ts";
import type { RemarkList } from "./remarks.ts";
import type { ServiceObject } from "./service-object.ts";
import { soleWish } from "./service-wishes.ts";

const DATAPATHS: readonly Datapath[] = ["nginx", "kernel", "haproxy"];
const BALANCES: readonly Balance[] = ["round-robin", "least-conn", "hash", "random"];
const PROXY_PROTOCOLS: readonly ("v1" | "v2")[] = ["v1", "v2"];
const HEALTH_CHECKS: readonly ("tcp" | "http" | "none")[] = ["tcp", "http", "none"];
const SWITCHES: readonly ("true" | "false")[] = ["true", "false"];

/** Kubernetes' default of sessionAffinityConfig.clientIP.timeoutSeconds. */
const AFFINITY_SECONDS_DEFAULT = 10_800;
const HOUR_MS = 3_600_000;
/** Most connections that a limit may allow: more than one host has ports for. */
const CONNECTIONS_MAX = 1_000_000;
/** Most nodes that max-nodes may ask for. */
const NODES_MAX = 10_000;
/** Most unknown annotations or labels of ours that are named. */
const UNKNOWN_MAX = 5;
/** Wishes that nothing serves yet. */
const NOT_SERVED: readonly Wish[] = ["hostname", "ttl", "tls-secret", "driver"];
const HEALTH_DETAILS: readonly Wish[] = [
  "health-check-path",
  "health-check-port",
  "health-check-interval",
  "health-check-timeout",
  "health-check-rise",
  "health-check-fall",
];

/** The policy of a Service, and how many nodes may be its members. */
export interface ServicePolicy {
  readonly policy: Omit<TrafficPolicy, "sourceRanges">;
  /** Absent: no bound. */
  readonly nodesMax?: number;
}

/** Reads the policy, saying in `remarks` what is wrong with it. */
export function readPolicy(service: ServiceObject, remarks: RemarkList): ServicePolicy {
  const reader = createReader(service, remarks);
  const datapath = reader.word("datapath", DATAPATHS, "refuse");
  const balance = reader.word("balance", BALANCES, "ignore") ?? "round-robin";
  const proxyProtocol = reader.word("proxy-protocol", PROXY_PROTOCOLS, "refuse") ?? "none";
  const accept = reader.word("accept-proxy-protocol", SWITCHES, "refuse") === "true";
  const connectTimeoutMs = reader.duration("connect-timeout", { minMs: 10, maxMs: HOUR_MS });
  const idleTimeoutMs = reader.duration("idle-timeout", { minMs: 1000, maxMs: 24 * HOUR_MS });
  const drainTimeoutMs = reader.duration("drain-timeout", { minMs: 0, maxMs: 24 * HOUR_MS });
  const connectionsMax = reader.count("max-connections", CONNECTIONS_MAX);
  const nodesMax = reader.count("max-nodes", NODES_MAX);
  remarkNotServed(service, remarks, reader);
  return {
    policy: {
      ...(datapath === undefined ? {} : { datapath }),
      balance,
      affinity: readAffinity(service),
      externalTraffic: service.spec.externalTrafficPolicy === "Local" ? "local" : "cluster",
      proxyProtocol,
      acceptProxyProtocol: accept,
      ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
      ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
      ...(drainTimeoutMs === undefined ? {} : { drainTimeoutMs }),
      ...(connectionsMax === undefined ? {} : { connectionsMax }),
    },
    ...(nodesMax === undefined ? {} : { nodesMax }),
  };
}

function readAffinity(service: ServiceObject): Affinity {
  if (service.spec.sessionAffinity !== "ClientIP") return { kind: "none" };
  const seconds = service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  return { kind: "client-ip", timeoutSeconds: seconds ?? AFFINITY_SECONDS_DEFAULT };
}

function remarkNotServed(service: ServiceObject, remarks: RemarkList, reader: Reader): void {
  const { metadata } = service;
  const check = reader.word("health-check", HEALTH_CHECKS, "ignore");
  if (check === "tcp" || check === "http") {
    remarks.remark("PolicyNotServed", `health checks (${check}) are not served yet`);
  }
  // "none" is what happens anyway, and its details mean nothing.
  const wishes = check === "none" ? NOT_SERVED : [...NOT_SERVED, ...HEALTH_DETAILS];
  for (const wish of wishes) {
    const found = soleWish(wish, metadata, remarks);
    if (found !== undefined) remarks.remark("PolicyNotServed", `${found.place} is not served yet`);
  }
  remarkUnknown("annotation", metadata.annotations, remarks);
  remarkUnknown("label", metadata.labels, remarks);
}

function remarkUnknown(
  place: "annotation" | "label",
  texts: Readonly<Record<string, string>> | undefined,
  remarks: RemarkList,
): void {
  for (const key of unknownKeys(Object.keys(texts ?? {})).slice(0, UNKNOWN_MAX)) {
    const nearest = nearestWord(key.slice(PREFIX.length), Object.keys(ALIASES));
    const hint = nearest === undefined ? "" : `; perhaps ${PREFIX}${nearest}`;
    remarks.remark("BadField", `${place} ${quote(key)} is not known${hint}`);
  }
}

/** What a bad value does: refuse the claim, or be left out and said. */
type OnBad = "refuse" | "ignore";

interface Reader {
  word<W extends string>(wish: Wish, words: readonly W[], onBad: OnBad): W | undefined;
  duration(
    wish: Wish,
    bounds: { readonly minMs: number; readonly maxMs: number },
  ): number | undefined;
  /** A whole number from 1 to `max`. */
  count(wish: Wish, max: number): number | undefined;
}

function createReader({ metadata }: ServiceObject, remarks: RemarkList): Reader {
  const sayBad = (place: string, text: string, expected: string, onBad: OnBad): undefined => {
    const detail = `${place} is ${quote(text)}; expected ${expected}`;
    if (onBad === "refuse") remarks.refuse("BadField", detail);
    else remarks.remark("BadField", `${detail}; it is left out`);
    return undefined;
  };
  return {
    word: (wish, words, onBad) => {
      const found = soleWish(wish, metadata, remarks);
      if (found === undefined) return undefined;
      const word = words.find((candidate) => candidate === found.text);
      return word ?? sayBad(found.place, found.text, `one of ${words.join(", ")}`, onBad);
    },
    duration: (wish, { minMs, maxMs }) => {
      const found = soleWish(wish, metadata, remarks);
      if (found === undefined) return undefined;
      const ms = parseDuration(found.text);
      if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms;
      const expected = `${DURATION_FORMS}, from ${minMs}ms to ${maxMs / HOUR_MS}h`;
      return sayBad(found.place, found.text, expected, "ignore");
    },
    count: (wish, max) => {
      const found = soleWish(wish, metadata, remarks);
      if (found === undefined) return undefined;
      const count = /^[1-9][0-9]{0,8}$/u.test(found.text) ? Number(found.text) : 0;
      if (count >= 1 && count <= max) return count;
      return sayBad(found.place, found.text, `a whole number from 1 to ${max}`, "ignore");
    },
  };
}
