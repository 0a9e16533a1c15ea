// Golden files: every folder of testdata with a plan.json becomes keepalived.conf and nginx.conf;
// where it says `"placed": true`, members stand in a third file for the kernel, members.nft.
// The files are written only with FAIRLEAD_UPDATE_GOLDEN=1 and reviewed like code.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  type Address,
  type LaneResource,
  type ListenerResource,
  type Member,
  type MemberSetResource,
  type ResourceName,
  type VipResource,
  addressFromValue,
  addressValue,
  familyOf,
  parseAddress,
  parseRange,
  present,
} from "@fairlead/model";
import { agentName, laneOf, listenerOf, member, vipOf } from "@fairlead/testkit";
import {
  type ServicePlace,
  countVips,
  createTemplates,
  fillSlots,
  memberTableScript,
  renderKeepalived,
  renderNginx,
  slotCountFor,
  slotFilling,
  turnOf,
} from "./index.ts";
import type { NginxSettings } from "./nginx-input.ts";

/** A plan in few words: `a-b` stands for every address from a to b. */
interface GoldenPlan {
  readonly agent: string;
  /** Whether members stand in the kernel's table. */
  readonly placed?: boolean;
  readonly lanes: readonly (Parameters<typeof laneOf>[0] & { readonly vips: readonly string[] })[];
  readonly listeners: readonly (Partial<Omit<ListenerResource, "members">> & {
    readonly at: string;
    /** `10.1.0.1:80 weight=5 draining` */
    readonly members: readonly string[];
  })[];
}

const TESTDATA = fileURLToPath(new URL("../testdata/", import.meta.url));
const UPDATE = process.env["FAIRLEAD_UPDATE_GOLDEN"] === "1";

const RANGES = {
  ipv4: { network: "198.18.0.0/15", target: known("198.18.0.1") },
  ipv6: { network: "fdfa:1ead::/64", target: known("fdfa:1ead::1") },
};

/** As on Debian; /run is a fresh one where a test hands the files to the real daemons. */
const SETTINGS: NginxSettings = {
  workerProcesses: 2,
  workerConnections: 1024,
  openFilesMax: 4096,
  shutdownTimeoutMs: 600_000,
  paths: {
    streamModule: "/usr/lib/nginx/modules/ngx_stream_module.so",
    pid: "/run/fairlead/nginx/nginx.pid",
    errorLog: "stderr",
    probeSocket: "/run/fairlead/nginx/generation.sock",
    answerSocket: "/run/fairlead/nginx/generation.id.sock",
  },
};

const cases = readdirSync(TESTDATA).filter((name) => existsSync(`${TESTDATA}${name}/plan.json`));
const templates = createTemplates();

test("there are golden cases", () => assert.ok(cases.length >= 12));

for (const name of cases) {
  test(`golden ${name}`, () => {
    const plan = JSON.parse(readFileSync(`${TESTDATA}${name}/plan.json`, "utf8")) as GoldenPlan;
    const { lanes, vips, listeners, memberSets } = resourcesOf(plan);
    const keepalived = renderKeepalived({
      templates,
      agent: agentName(plan.agent),
      lanes,
      vips,
      udpLanes: udpLanesOf(vips, listeners),
      paths: { trackDir: "/run/fairlead/keepalived/track" },
    });
    const places = plan.placed === true ? placesOf(listeners, memberSets) : new Map();
    const nginx = renderNginx({
      templates,
      listeners,
      places,
      targets: { ipv4: RANGES.ipv4.target, ipv6: RANGES.ipv6.target },
      memberSets: new Map(memberSets.map((set) => [set.name, set])),
      generation: "0123456789abcdef",
      settings: name === "one-tcp-service" ? { ...SETTINGS, user: "root" } : SETTINGS,
    });
    assert.equal(keepalived.vipCount, vips.length);
    assert.equal(countVips(keepalived.text), vips.length);
    assert.equal(nginx.listeners, listeners.length);
    compare(`${TESTDATA}${name}/keepalived.conf`, keepalived.text);
    compare(`${TESTDATA}${name}/nginx.conf`, nginx.text);
    if (plan.placed !== true) return;
    const table = tableOf(listeners, memberSets, places);
    compare(`${TESTDATA}${name}/members.nft`, memberTableScript(RANGES, table, 7));
  });
}

function udpLanesOf(
  vips: readonly VipResource[],
  listeners: readonly ListenerResource[],
): ReadonlySet<ResourceName> {
  const udp = new Set(
    listeners.filter(({ protocol }) => protocol === "udp").map(({ address }) => address),
  );
  const lanes = vips.filter(({ address }) => udp.has(address));
  return new Set(lanes.flatMap(({ carrier }) => ("resource" in carrier ? carrier.resource : [])));
}

/** As an agent would number them. */
function placesOf(
  listeners: readonly ListenerResource[],
  memberSets: readonly MemberSetResource[],
): ReadonlyMap<ResourceName, ServicePlace> {
  return new Map(
    listeners.map((listener, index) => {
      const members = memberSets[index]?.members ?? [];
      const family = familyOf(members[0]?.address ?? listener.address);
      const base = addressValue(RANGES[family].target) + BigInt(255 + index);
      const service = addressFromValue(family, base);
      return [listener.name, { service, slots: slotCountFor(members, slotFilling(listener)) }];
    }),
  );
}

function tableOf(
  listeners: readonly ListenerResource[],
  memberSets: readonly MemberSetResource[],
  places: ReadonlyMap<ResourceName, ServicePlace>,
): Parameters<typeof memberTableScript>[1] {
  return listeners.map((listener, index) => {
    const { service, slots } = present(places.get(listener.name), "a place for each");
    const filled = fillSlots(memberSets[index]?.members ?? [], slots, slotFilling(listener));
    return { ...listener, service, slots: filled, takesTurns: turnOf(listener) !== undefined };
  });
}

function known(text: string): Address {
  return present(parseAddress(text), text);
}

function compare(path: string, text: string): void {
  if (UPDATE) writeFileSync(path, text);
  assert.equal(text, readFileSync(path, "utf8"), `${path} is as reviewed`);
}

function resourcesOf(plan: GoldenPlan): {
  readonly lanes: LaneResource[];
  readonly vips: VipResource[];
  readonly listeners: ListenerResource[];
  readonly memberSets: MemberSetResource[];
} {
  const lanes = plan.lanes.map((lane) => laneOf(lane));
  const vips = plan.lanes.flatMap((lane, index) =>
    lane.vips.flatMap(expand).map((vip) => vipOf(vip, present(lanes[index], "one lane for each"))),
  );
  const pairs = plan.listeners.flatMap(({ at, members, ...change }) =>
    endpoints(at).map((endpoint) => {
      const [listener, set] = listenerOf(endpoint, [], change);
      return [listener, { ...set, members: members.map(memberOf) }] as const;
    }),
  );
  return {
    lanes,
    vips,
    listeners: pairs.map(([listener]) => listener),
    memberSets: pairs.map(([, set]) => set),
  };
}

/** `[2001:db8::1]:80/tcp` without brackets, or one endpoint for each address of a range. */
function endpoints(at: string): string[] {
  const colon = at.lastIndexOf(":");
  return expand(at.slice(0, colon).replaceAll(/[[\]]/g, "")).map(
    (address) => `${address}${at.slice(colon)}`,
  );
}

function expand(text: string): string[] {
  const range = parseRange(text);
  assert.ok(range.kind === "ok", text);
  const { family, first, last } = range.value;
  const start = addressValue(first);
  const size = Number(addressValue(last) - start) + 1;
  return Array.from({ length: size }, (_, index) =>
    addressFromValue(family, start + BigInt(index)),
  );
}

function memberOf(text: string): Member {
  const [endpoint = "", ...words] = text.split(" ");
  const weight = words.find((word) => word.startsWith("weight="))?.slice("weight=".length);
  return {
    ...member(endpoint),
    weight: Number(weight ?? 1),
    state: words.includes("draining") ? "draining" : "active",
  };
}
