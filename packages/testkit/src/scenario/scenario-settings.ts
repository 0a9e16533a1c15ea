// The first lines of a scenario: hosts, pools and what else is set before anything runs. Without
// any there are three hosts on one network and one pool on it. Pure.

import type { RingOptions } from "./ring.ts";
import { ScenarioError, type ScenarioLine } from "./scenario-text.ts";
import { readForm } from "./steps.ts";

/** The stage of a scenario. */
export type ScenarioSettings = Omit<RingOptions, "seed" | "faultRate" | "log">;

const HOSTS: ReadonlyMap<string, string> = new Map([
  ["lb1", "192.0.2.11/24"],
  ["lb2", "192.0.2.12/24"],
  ["lb3", "192.0.2.13/24"],
]);
const POOLS: readonly string[] = ["lan=192.0.2.100-192.0.2.109"];

const FORMS = [
  "host NAME PREFIX",
  "hosts none",
  "hosts without default route",
  "pool NAME=RANGE",
  "pools none",
  "shares own address",
  "members-are WHAT",
  "default-class WORD",
  "reserved-router-ids RANGE",
  "ipam of ours",
] as const;

/** Parts the settings from the steps. */
export function readSettings(lines: readonly ScenarioLine[]): {
  readonly settings: ScenarioSettings;
  readonly steps: readonly ScenarioLine[];
} {
  const hosts = new Map<string, string>();
  const pools: string[] = [];
  let more: Partial<ScenarioSettings> = {};
  let isBare = false;
  let isPoolless = false;
  let count = 0;
  for (const { line, words } of lines) {
    const form = FORMS.find((one) => readForm(one.split(" "), words) !== undefined);
    if (form === undefined) break;
    const [first = "", second = ""] = readForm(form.split(" "), words) ?? [];
    if (form === "host NAME PREFIX") hosts.set(first, second);
    else if (form === "hosts none") isBare = true;
    else if (form === "hosts without default route") more = { ...more, hasDefaultRoute: false };
    else if (form === "pool NAME=RANGE") pools.push(first);
    else if (form === "pools none") isPoolless = true;
    else if (form === "shares own address") more = { ...more, sharesOwnAddress: true };
    else if (form === "ipam of ours") more = { ...more, hasOwnIpam: true };
    else if (form === "default-class WORD") more = { ...more, defaultClass: first === "on" };
    else if (form === "reserved-router-ids RANGE") more = { ...more, ...reserved(first, line) };
    else more = { ...more, members: first === "nodes" ? "nodes" : "endpoints" };
    count += 1;
  }
  const settings = {
    hosts: hosts.size > 0 || isBare ? hosts : HOSTS,
    pools: pools.length > 0 || isPoolless ? pools : POOLS,
    ...more,
  };
  return { settings, steps: lines.slice(count) };
}

function reserved(text: string, line: number): { readonly reservedRouterIds: readonly number[] } {
  const [first = Number.NaN, last = first] = text.split("-").map(Number);
  if (!(first <= last)) throw new ScenarioError(line, `${text} is no range`);
  return { reservedRouterIds: Array.from({ length: last - first + 1 }, (_, at) => first + at) };
}
