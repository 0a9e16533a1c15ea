// A segment of fake hosts that speak VRRP by rule instead of by packets: one master a router id,
// the living one stays unless a better one may preempt, and a lost one is replaced after three
// adverts on the fake clock. It reads nothing but the hosts' keepalived files.

import type { HeardAdverts, Question, VrrpListener } from "@fairlead/agent";
import type { Address, HeardRouter } from "@fairlead/model";
import type { Clock } from "@fairlead/runtime";

import { address as addressOf, device } from "../node-plan-builders.ts";
import type { FakeHost } from "./fake-host-types.ts";
import { type FakeInstance, parseInstances } from "./keepalived-text.ts";

/** Three adverts of 100 ms. */
const TAKEOVER_MS = 300;

/** What does not pass: all, VRRP alone, or answers alone to who has an address. */
export type Cut = "all" | "vrrp" | "answers";

/** Hosts on one network. */
export interface FakeSegment {
  join(host: FakeHost): void;
  /** Something about a host changed: its file, its daemon, or its link. */
  changed(host: FakeHost): void;
  /** Something passes no more between this host and the others, although their links are up. */
  split(host: FakeHost, cut?: Cut): void;
  /** It passes again: of two masters the one with the higher priority stays. */
  rejoin(host: FakeHost): void;
  /** A host that is none of ours takes an address; without a MAC address it leaves. */
  setStranger(address: string, mac: string | undefined): void;
  /** A host that is none of ours begins to speak VRRP; without an address it is silent again. */
  setStrangeRouter(routerId: number, source: string | undefined): void;
  /** Hears the strangers alone. */
  readonly vrrp: Pick<VrrpListener, "heard" | "isAble" | keyof AsyncDisposable>;
  /** What of the others' adverts comes to this host now. */
  advertsTo(host: FakeHost): readonly HeardAdverts[];
  /** The MAC address that this host gets for an address; empty when nobody answers. */
  seenBy(host: FakeHost, address: Address): string;
  /** The MAC addresses of the strangers that answer. */
  answersTo(questions: readonly Question[]): ReadonlyMap<Address, string>;
  /** Who holds a router id now, among the hosts that hear the others. */
  masterOf(routerId: number): string | undefined;
}

interface Candidate {
  readonly host: FakeHost;
  readonly instance: FakeInstance;
}

/** Makes an empty segment. */
export function createFakeSegment(options: { readonly clock: Clock }): FakeSegment {
  return new Segment(options.clock);
}

class Segment implements FakeSegment {
  readonly #clock: Clock;
  readonly #hosts: FakeHost[] = [];
  readonly #alone = new Set<FakeHost>();
  /** By those who hear each other and router id. */
  readonly #masters = new Map<string, FakeHost>();
  readonly #strangers = new Map<string, string>();
  readonly #routers = new Map<number, HeardRouter>();
  readonly #cutOff = new Set<FakeHost>();
  readonly vrrp: FakeSegment["vrrp"] = {
    isAble: true,
    heard: () => [...this.#routers.values()],
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  join(host: FakeHost): void {
    this.#hosts.push(host);
  }

  changed(host: FakeHost): void {
    for (const routerId of this.#idsOf(host)) {
      const isLost = this.#masterFor(host, routerId) === host && !host.isSpeaking();
      if (!isLost) this.#elect(host, routerId);
      else {
        host.setHeld(routerId, host.keepsAddresses() ? undefined : []);
        this.#electLater(host, routerId);
      }
    }
  }

  split(host: FakeHost, cut: Cut = "all"): void {
    if (cut !== "vrrp") this.#cutOff.add(host);
    if (cut === "answers") return;
    for (const routerId of this.#idsOf(host)) {
      const master = this.#masterFor(host, routerId);
      if (master === host) this.#masters.delete(this.#keyOf(host, routerId));
      this.#alone.add(host);
      if (master === host) this.#masters.set(this.#keyOf(host, routerId), host);
      this.#alone.delete(host);
      // Whoever does not hear the master any more takes its place.
      for (const one of this.#hosts) if (one !== master) this.#electLater(one, routerId);
    }
    this.#alone.add(host);
  }

  rejoin(host: FakeHost): void {
    const ids = this.#idsOf(host);
    const own = [...ids].filter((routerId) => this.#masterFor(host, routerId) === host);
    for (const routerId of ids) this.#masters.delete(this.#keyOf(host, routerId));
    this.#alone.delete(host);
    this.#cutOff.delete(host);
    for (const routerId of ids) {
      const other = this.#masterFor(host, routerId);
      const isBetter = other === undefined || priority(host, routerId) > priority(other, routerId);
      if (own.includes(routerId) && isBetter) {
        this.#masters.set(this.#keyOf(host, routerId), host);
      }
      this.#elect(host, routerId);
    }
  }

  setStranger(address: string, mac: string | undefined): void {
    if (mac === undefined) this.#strangers.delete(address);
    else this.#strangers.set(address, mac);
  }

  setStrangeRouter(routerId: number, source: string | undefined): void {
    if (source === undefined) this.#routers.delete(routerId);
    else this.#routers.set(routerId, { routerId, source: addressOf(source), link: device("eth0") });
  }

  answersTo(questions: readonly Question[]): ReadonlyMap<Address, string> {
    const answers = questions.flatMap(({ address }) => {
      const mac = this.#strangers.get(address);
      return mac === undefined ? [] : [[address, mac] as const];
    });
    return new Map(answers);
  }

  advertsTo(host: FakeHost): readonly HeardAdverts[] {
    const lastMs = this.#clock.nowMs();
    return [...this.#idsOf(host)].flatMap((routerId) => {
      const master = this.#masterFor(host, routerId);
      if (master === undefined || master === host || !master.isSpeaking()) return [];
      return [{ routerId, source: master.own, link: device("eth0"), lastMs }];
    });
  }

  seenBy(host: FakeHost, address: Address): string {
    const stranger = this.#strangers.get(address);
    if (stranger !== undefined) return stranger;
    const isNear = (one: FakeHost): boolean =>
      one === host || !(this.#cutOff.has(one) || this.#cutOff.has(host));
    return this.#hosts.find((one) => isNear(one) && one.answersFor(address))?.mac ?? "";
  }

  masterOf(routerId: number): string | undefined {
    return this.#masters.get(`${routerId}`)?.name;
  }

  #masterFor(host: FakeHost, routerId: number): FakeHost | undefined {
    return this.#masters.get(this.#keyOf(host, routerId));
  }

  /** A host that was split off has masters of its own. */
  #keyOf(host: FakeHost, routerId: number): string {
    return this.#alone.has(host) ? `${routerId} ${host.name}` : `${routerId}`;
  }

  #idsOf(host: FakeHost): ReadonlySet<number> {
    const ids = parseInstances(host.keepalivedText()).map((instance) => instance.routerId);
    const known = Array.from(this.#masters.keys(), (key) => Number(key.split(" ")[0]));
    return new Set([...ids, ...known]);
  }

  #electLater(host: FakeHost, routerId: number): void {
    this.#clock.setTimer(TAKEOVER_MS, () => this.#elect(host, routerId));
  }

  /** Among all that hear this host. */
  #elect(host: FakeHost, routerId: number): void {
    const isAlone = this.#alone.has(host);
    const peers = isAlone ? [host] : this.#hosts.filter((one) => !this.#alone.has(one));
    const able = candidates(peers, routerId);
    const key = this.#keyOf(host, routerId);
    const living = able.find((one) => one.host === this.#masters.get(key));
    const best = able[0];
    const mayTake = best !== undefined && best.instance.preempts;
    const master = living === undefined || mayTake ? best : living;
    if (master === undefined) this.#masters.delete(key);
    else this.#masters.set(key, master.host);
    for (const one of peers) one.setHeld(routerId, heldBy(one, master));
  }
}

function candidates(hosts: readonly FakeHost[], routerId: number): readonly Candidate[] {
  return hosts
    .flatMap((host) => {
      const instance = instanceOf(host, routerId);
      return instance === undefined || !host.isSpeaking() ? [] : [{ host, instance }];
    })
    .toSorted((a, b) => b.instance.priority - a.instance.priority);
}

function instanceOf(host: FakeHost, routerId: number): FakeInstance | undefined {
  return parseInstances(host.keepalivedText()).find((one) => one.routerId === routerId);
}

function priority(host: FakeHost, routerId: number): number {
  return instanceOf(host, routerId)?.priority ?? 0;
}

function heldBy(host: FakeHost, master: Candidate | undefined): readonly string[] | undefined {
  if (master?.host === host) return [master.instance.anchor, ...master.instance.vips];
  return host.keepsAddresses() ? undefined : [];
}
