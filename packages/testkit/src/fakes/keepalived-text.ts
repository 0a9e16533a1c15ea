// Reads back what a fake keepalived needs of a rendered file. Strict enough to notice a file that
// is cut or empty; it is no parser of keepalived's language.

import type { CarriedVip } from "@fairlead/agent";
import type { DeviceName } from "@fairlead/model";

import { address as addressOf } from "../node-plan-builders.ts";

/** One VRRP instance of a file. Addresses without their prefix lengths. */
export interface FakeInstance {
  readonly routerId: number;
  readonly priority: number;
  /** Whether it may take over from a living master. */
  readonly preempts: boolean;
  /** Whether it is master when it starts. */
  readonly startsAsMaster: boolean;
  /** Whether it gives its addresses up while the host's data path is down. */
  readonly followsDataPath: boolean;
  /** Whom it speaks to and listens to. */
  readonly peers: readonly string[];
  readonly anchor: string;
  readonly vips: readonly string[];
}

/** All instances of a file. */
export function parseInstances(text: string): readonly FakeInstance[] {
  return text
    .split(/^vrrp_instance /m)
    .slice(1)
    .map((block) => ({
      routerId: numberAfter(block, "virtual_router_id"),
      priority: numberAfter(block, "priority"),
      preempts: !/^\s*nopreempt$/m.test(block),
      startsAsMaster: /^\s*state MASTER$/m.test(block),
      followsDataPath: /^\s*data-path weight 0$/m.test(block),
      peers: addressesIn(block, "unicast_peer"),
      anchor: addressesIn(block, "virtual_ipaddress")[0] ?? "",
      vips: addressesIn(block, "virtual_ipaddress_excluded"),
    }));
}

function numberAfter(block: string, word: string): number {
  return Number(new RegExp(`^\\s*${word} (\\d+)$`, "m").exec(block)?.[1]);
}

function addressesIn(block: string, section: string): readonly string[] {
  const body = new RegExp(`^\\s*${section} \\{\\n([^}]*)\\}`, "m").exec(block)?.[1] ?? "";
  return body
    .split("\n")
    .map((line) => line.trim().split(/[/ ]/)[0] ?? "")
    .filter((address) => address !== "");
}

/** How many VIPs a file lists, anchors not counted. */
export function countVips(text: string): number {
  return parseInstances(text).reduce((sum, instance) => sum + instance.vips.length, 0);
}

/** The VIPs of a file, anchors not counted; all on the one device of a fake host. */
export function vipsIn(text: string, link: DeviceName): readonly CarriedVip[] {
  const vips = parseInstances(text).flatMap((instance) => instance.vips);
  return vips.map((vip) => ({ address: addressOf(vip), link }));
}
