// A segment of fake hosts that speak VRRP by rule instead of by packets: one master a router id,
// the living one stays unless a better one may preempt, and a lost one is replaced after three
// adverts on the fake clock. It reads nothing but the hosts' keepalived files.

import type { Clock } from "@fairlead/runtime";

import type { FakeHost } from "./fake-host.ts";
import { type FakeInstance, parseInstances } from "./keepalived-text.ts";

/** Three adverts of 100 ms. */
const TAKEOVER_MS = 300;

/** Hosts on one network. */
export interface FakeSegment {
  join(host: FakeHost): void;
  /** Something about a host changed: its file, its daemon, or its link. */
  changed(host: FakeHost): void;
  /** Who holds a router id now. */
  masterOf(routerId: number): string | undefined;
}

interface Candidate {
  readonly host: FakeHost;
  readonly instance: FakeInstance;
}

/** Makes an empty segment. */
export function createFakeSegment(options: { readonly clock: Clock }): FakeSegment {
  const hosts: FakeHost[] = [];
  const masters = new Map<number, FakeHost>();

  function candidates(routerId: number): readonly Candidate[] {
    return hosts.flatMap((host) =>
      host.isSpeaking()
        ? parseInstances(host.keepalivedText())
            .filter((instance) => instance.routerId === routerId)
            .map((instance) => ({ host, instance }))
        : [],
    );
  }

  function elect(routerId: number): void {
    const able = candidates(routerId).toSorted((a, b) => b.instance.priority - a.instance.priority);
    const living = able.find(({ host }) => host === masters.get(routerId));
    const best = able[0];
    const mayTake = best !== undefined && best.instance.preempts;
    const master = living === undefined || mayTake ? best : living;
    if (master === undefined) masters.delete(routerId);
    else masters.set(routerId, master.host);
    for (const host of hosts) host.setHeld(routerId, heldBy(host, master));
  }

  function changed(host: FakeHost): void {
    const ids = new Set([
      ...parseInstances(host.keepalivedText()).map((instance) => instance.routerId),
      ...masters.keys(),
    ]);
    for (const routerId of ids) {
      const isLost = masters.get(routerId) === host && !host.isSpeaking();
      if (!isLost) elect(routerId);
      else {
        host.setHeld(routerId, host.keepsAddresses() ? undefined : []);
        options.clock.setTimer(TAKEOVER_MS, () => elect(routerId));
      }
    }
  }

  return {
    join: (host) => void hosts.push(host),
    changed,
    masterOf: (routerId) => masters.get(routerId)?.name,
  };
}

function heldBy(host: FakeHost, master: Candidate | undefined): readonly string[] | undefined {
  if (master?.host === host) return [master.instance.anchor, ...master.instance.vips];
  return host.keepsAddresses() ? undefined : [];
}
