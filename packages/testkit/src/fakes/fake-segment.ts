// A segment of fake hosts: what passes between them, and who else is on it. They speak VRRP by rule
// instead of by packets, on the fake clock (fake-elections.ts).

import type { HeardAdverts, Question, VrrpListener } from "@fairlead/agent";
import type { Address, HeardRouter } from "@fairlead/model";
import type { Clock } from "@fairlead/runtime";

import { address as addressOf, device } from "../node-plan-builders.ts";
import { createFakeElections, type FakeElections } from "./fake-elections.ts";
import type { FakeHost } from "./fake-host-types.ts";

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
  /** What this host hears of who is no peer in the question. */
  answersTo(host: FakeHost, questions: readonly Question[]): ReadonlyMap<Address, string>;
}

/** Makes an empty segment. */
export function createFakeSegment(options: { readonly clock: Clock }): FakeSegment {
  return new Segment(options.clock);
}

class Segment implements FakeSegment {
  readonly #clock: Clock;
  readonly #hosts: FakeHost[] = [];
  readonly #alone = new Set<FakeHost>();
  readonly #elections: FakeElections;
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
    const passes = (from: FakeHost, to: FakeHost): boolean =>
      !this.#alone.has(from) && !this.#alone.has(to);
    this.#elections = createFakeElections({ clock, passes });
  }

  join(host: FakeHost): void {
    this.#hosts.push(host);
  }

  changed(host: FakeHost): void {
    this.#elections.changed(host);
  }

  split(host: FakeHost, cut: Cut = "all"): void {
    if (cut !== "vrrp") this.#cutOff.add(host);
    if (cut !== "answers") this.#alone.add(host);
    this.#elections.changed(host);
  }

  rejoin(host: FakeHost): void {
    this.#alone.delete(host);
    this.#cutOff.delete(host);
    this.#elections.changed(host);
  }

  setStranger(address: string, mac: string | undefined): void {
    if (mac === undefined) this.#strangers.delete(address);
    else this.#strangers.set(address, mac);
  }

  setStrangeRouter(routerId: number, source: string | undefined): void {
    if (source === undefined) this.#routers.delete(routerId);
    else this.#routers.set(routerId, { routerId, source: addressOf(source), link: device("eth0") });
  }

  answersTo(host: FakeHost, questions: readonly Question[]): ReadonlyMap<Address, string> {
    const answers = questions.flatMap(({ address, peers }) => {
      const mac = this.seenBy(host, address);
      const known = this.#hosts.filter((one) => one === host || peers.includes(one.own));
      const isOurs = mac === "" || known.some((one) => one.mac === mac);
      return isOurs ? [] : [[address, mac] as const];
    });
    return new Map(answers);
  }

  advertsTo(host: FakeHost): readonly HeardAdverts[] {
    const lastMs = this.#clock.nowMs();
    return this.#elections.speakingTo(host).map(({ routerId, host: { own } }) => ({
      routerId,
      source: own,
      link: device("eth0"),
      lastMs,
    }));
  }

  seenBy(host: FakeHost, address: Address): string {
    const stranger = this.#strangers.get(address);
    if (stranger !== undefined) return stranger;
    const isNear = (one: FakeHost): boolean =>
      one === host || !(this.#cutOff.has(one) || this.#cutOff.has(host));
    return this.#hosts.find((one) => isNear(one) && one.answersFor(address))?.mac ?? "";
  }
}
