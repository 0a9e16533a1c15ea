// Troubles of a day beside those of every day: operators who give hosts and addresses up, strangers
// on the segment, a store that is lost or older than it was. Given the ring, and the watch that has
// to know of what nobody saw happen.

import type { PartitionWindow } from "@fairlead/lab";

import { copyMedium, createMemoryMedium, type MemoryMedium } from "../fakes/memory-store.ts";
import type { Ring } from "../scenario/ring.ts";
import type { RingAgent } from "../scenario/ring-agent.ts";
import type { Dice } from "./chaos.ts";
import type { Trait } from "./day-traits.ts";
import type { LeaseWatch } from "./lease-watch.ts";

/** The troubles of one day. */
export interface Troubles {
  /** Those of each trait, some more than once: these happen more often. Each says what it did. */
  readonly byTrait: Readonly<Partial<Record<Trait, readonly ((dice: Dice) => string)[]>>>;
  /**
   * Since when which hosts are forgotten: one that comes back all the same has a plan on its disk
   * by which nobody speaks to it, until it is sent its own.
   */
  readonly forgotten: readonly PartitionWindow[];
  /** Ends what has to end before a ring can rest. */
  mend(): void;
}

const STRANGER_MAC = "02:00:00:00:99:99";
/** What strangers take: of the pool `lan`, its IPv6 part, and other pools. */
const STRANGE: readonly string[] = [
  "192.0.2.100",
  "192.0.2.101",
  "192.0.2.103",
  "192.0.2.140",
  "192.0.2.160",
  "192.0.2.180",
  "2001:db8::100",
];

/** Makes the troubles of a ring. */
export function createTroubles(ring: Ring, watch: LeaseWatch): Troubles {
  return new Made(ring, watch);
}

class Made implements Troubles {
  readonly #ring: Ring;
  readonly #watch: LeaseWatch;
  readonly #strangers = new Set<string>();
  readonly forgotten: PartitionWindow[] = [];
  #copy: MemoryMedium | undefined;
  readonly byTrait: Troubles["byTrait"] = {
    words: [
      (dice) => this.#release(dice),
      (dice) => this.#forget(dice),
      (dice) => this.#forget(dice),
    ],
    strangers: [
      (dice) => this.#comes(dice),
      (dice) => this.#comes(dice),
      (dice) => this.#goes(dice),
    ],
    stores: [
      () => this.#save(),
      () => this.#putBack(this.#copy, "restore store"),
      () => this.#lose(),
    ],
  };

  constructor(ring: Ring, watch: LeaseWatch) {
    this.#ring = ring;
    this.#watch = watch;
  }

  mend(): void {
    for (const address of this.#strangers) this.#ring.setStranger(address, undefined);
    this.#strangers.clear();
  }

  #comes(dice: Dice): string {
    const address = dice.pick(STRANGE);
    this.#strangers.add(address);
    this.#ring.setStranger(address, STRANGER_MAC);
    return `stranger at ${address}`;
  }

  #goes(dice: Dice): string {
    if (this.#strangers.size === 0) return "no stranger goes";
    const address = dice.pick([...this.#strangers]);
    this.#strangers.delete(address);
    this.#ring.setStranger(address, undefined);
    return `no stranger at ${address}`;
  }

  #save(): string {
    this.#copy = copyMedium(this.#ring.medium);
    return "save store";
  }

  #lose(): string {
    return this.#putBack(createMemoryMedium(), "lose store");
  }

  /**
   * What a store does not know agents alone can tell, so all of them are there: who is out of reach
   * then holds what nobody knows of. The store is put back when all were called a while ago.
   */
  #putBack(medium: MemoryMedium | undefined, what: string): string {
    if (medium === undefined) return this.#save();
    const away = [...this.#ring.agents.values()].filter((agent) => !this.#isHere(agent));
    if (away.length > 0) {
      for (const agent of away) this.#call(agent);
      return `call ${away.map(({ name }) => name).join(" ")}`;
    }
    this.#ring.controller.kill();
    this.#watch.replaceStore(medium);
    this.#ring.controller.start();
    return what;
  }

  #isHere({ name, isRunning }: RingAgent): boolean {
    const state = this.#ring.controller.context()?.syncState(name).state;
    return isRunning && state === "in-sync";
  }

  #call(agent: RingAgent): void {
    if (agent.isDeaf("split")) agent.rejoin();
    if (!agent.isPowered) agent.powerOn();
    agent.isDiskFull = false;
    agent.setPlug(true);
    this.#ring.network.delay(agent.name, 0);
    agent.start();
  }

  /** An operator's word is true: whoever is waited for has no power. */
  #release(dice: Dice): string {
    const { medium, agents, controller } = this.#ring;
    const isOff = (name: string): boolean => agents.get(name)?.isPowered !== true;
    const free = [...medium.leases.values()].filter(({ owners, sentTo }) => {
      return owners.length === 0 && sentTo.every(isOff);
    });
    if (free.length === 0) return "nothing is released";
    const { address } = dice.pick(free);
    this.#watch.release(address);
    controller.act({ kind: "release", address });
    return `release ${address}`;
  }

  #forget(dice: Dice): string {
    const { agents, controller } = this.#ring;
    const off = [...agents.values()].filter(({ isPowered }) => !isPowered);
    if (off.length === 0) {
      const agent = dice.pick([...agents.values()]);
      agent.powerOff();
      return `power off ${agent.name}`;
    }
    const { name } = dice.pick(off);
    this.#watch.forget(name);
    this.forgotten.push({ hosts: [name], fromMs: this.#ring.clock.nowMs(), toMs: undefined });
    controller.act({ kind: "forget", agent: name });
    return `forget ${name}`;
  }
}
