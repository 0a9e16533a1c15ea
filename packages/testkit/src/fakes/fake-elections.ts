// Who holds router ids among fake hosts, by VRRP's rules for unicast peers. Given the hosts'
// keepalived files: two hear each other when each names the other as its peer, so a host that
// nobody speaks to yet holds a lane beside its holder, as it would with the real daemon.

import type { Clock, Timer } from "@fairlead/runtime";

import type { FakeHost } from "./fake-host-types.ts";
import { type FakeInstance, parseInstances } from "./keepalived-text.ts";

/** Three adverts of 100 ms. */
const TAKEOVER_MS = 300;

/** The elections of one segment. */
export interface FakeElections {
  /** Something about the host changed: its file, its daemon, or what it hears. */
  changed(host: FakeHost): void;
  /** Masters whose adverts come to this host, whether it runs their lanes or not. */
  speakingTo(host: FakeHost): readonly { readonly routerId: number; readonly host: FakeHost }[];
}

/** What they are made of. */
export interface FakeElectionsOptions {
  readonly clock: Clock;
  /** Whether VRRP passes between two hosts. */
  readonly passes: (from: FakeHost, to: FakeHost) => boolean;
}

/** An instance that runs. */
interface Seat {
  readonly host: FakeHost;
  instance: FakeInstance;
  isMaster: boolean;
  /** Whether its data path is down, and it follows that: it holds nothing and hears nobody. */
  isFaulty: boolean;
  /** Runs while it hears no master. */
  silence: Timer | undefined;
}

/** Makes elections in which nobody runs anything. */
export function createFakeElections(options: FakeElectionsOptions): FakeElections {
  return new Elections(options);
}

class Elections implements FakeElections {
  readonly #clock: Clock;
  readonly #passes: FakeElectionsOptions["passes"];
  /** By router id; the best first. */
  readonly #lanes = new Map<number, readonly Seat[]>();

  constructor({ clock, passes }: FakeElectionsOptions) {
    this.#clock = clock;
    this.#passes = passes;
  }

  changed(host: FakeHost): void {
    const instances = instancesOf(host);
    for (const routerId of new Set([...this.#lanes.keys(), ...instances.keys()])) {
      const seats = this.#lanes.get(routerId) ?? [];
      const own = seats.find((seat) => seat.host === host);
      const others = seats.filter((seat) => seat !== own);
      const instance = instances.get(routerId);
      if (instance !== undefined) others.push(seated(host, instance, own));
      else if (own !== undefined) leave(own, routerId);
      this.#lanes.set(routerId, others.toSorted(byPriority));
      this.#elect(routerId);
    }
  }

  speakingTo(host: FakeHost): ReturnType<FakeElections["speakingTo"]> {
    return Array.from(this.#lanes, ([routerId, seats]) =>
      seats
        .filter((seat) => seat.isMaster && seat.host !== host && this.#isSent(seat, host))
        .map((seat) => ({ routerId, host: seat.host })),
    ).flat();
  }

  #isSent(from: Seat, to: FakeHost): boolean {
    return from.instance.peers.includes(to.own) && this.#passes(from.host, to);
  }

  #elect(routerId: number): void {
    const seats = this.#lanes.get(routerId) ?? [];
    for (const seat of seats) {
      if (!seat.isFaulty) continue;
      stopWaiting(seat);
      seat.isMaster = false;
    }
    for (const seat of seats) {
      if (seat.isFaulty) continue;
      const heard = seats.filter((one) => one.isMaster && this.#hears(seat, one));
      const isBest = heard.every((one) => byPriority(seat, one) < 0);
      if (seat.isMaster) seat.isMaster = isBest;
      else if (heard.length > 0) seat.isMaster = isBest && seat.instance.preempts;
      // Whom it takes over from yields in its own turn, as it is behind.
      if (heard.length > 0 || seat.isMaster) stopWaiting(seat);
      else seat.silence ??= this.#clock.setTimer(TAKEOVER_MS, () => this.#take(seat, routerId));
    }
    for (const { host, isMaster, instance } of seats) {
      host.setHeld(routerId, isMaster ? [instance.anchor, ...instance.vips] : []);
    }
  }

  #hears(seat: Seat, other: Seat): boolean {
    return (
      seat !== other &&
      this.#isSent(other, seat.host) &&
      seat.instance.peers.includes(other.host.own)
    );
  }

  #take(seat: Seat, routerId: number): void {
    seat.silence = undefined;
    seat.isMaster = true;
    this.#elect(routerId);
  }
}

/** Reload by reload an instance stays what it has become. */
function seated(host: FakeHost, instance: FakeInstance, before: Seat | undefined): Seat {
  const isFaulty = instance.followsDataPath && host.downFiles.nginx.isDown();
  if (before === undefined) {
    return { host, instance, isMaster: instance.startsAsMaster, isFaulty, silence: undefined };
  }
  before.instance = instance;
  before.isFaulty = isFaulty;
  return before;
}

function leave(seat: Seat, routerId: number): void {
  stopWaiting(seat);
  seat.host.setHeld(routerId, seat.host.keepsAddresses() ? undefined : []);
}

function stopWaiting(seat: Seat): void {
  seat.silence?.cancel();
  seat.silence = undefined;
}

function instancesOf(host: FakeHost): ReadonlyMap<number, FakeInstance> {
  const running = host.isSpeaking() ? parseInstances(host.keepalivedText()) : [];
  return new Map(running.map((instance) => [instance.routerId, instance]));
}

function byPriority(a: Seat, b: Seat): number {
  return b.instance.priority - a.instance.priority || (a.host.own > b.host.own ? -1 : 1);
}
