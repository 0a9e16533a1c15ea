// An IPAM elsewhere that is a Fairlead's own: the real service with one class, as a process over a
// store in memory that outlives it. Given the stage's clock. Its clients may have bad luck.

import {
  createIpamService,
  type IpamService,
  ipamCommands,
  parseUuid,
  type StoredIpam,
  type Uuid,
} from "@fairlead/controller";
import { type Address, compareAddress, familyOf, present } from "@fairlead/model";
import type { Clock, Logger } from "@fairlead/runtime";

import { away, type MemoryIpam, MEMORY_IPAM_CLASS } from "../fakes/memory-ipam.ts";
import { createMemoryIpamMedium, createMemoryIpamStore } from "../fakes/memory-ipam-store.ts";
import { createProcessClock, type ProcessClock } from "./process-clock.ts";

/** Who renews every minute misses one of two; what he has is taken back half a minute later. */
const LEASE_MS = 120_000;
const GRACE_MS = 30_000;
/** Of a network that is well. */
const WAY_MS = 2;

/** What it is made of. */
export interface OwnIpamOptions {
  readonly clock: Clock;
  readonly log: Logger;
}

/** Starts one without addresses. */
export function createOwnIpam(options: OwnIpamOptions): MemoryIpam {
  return new OwnIpam(options);
}

interface Life {
  readonly clock: ProcessClock;
  readonly service: Promise<IpamService>;
}

class OwnIpam implements MemoryIpam {
  readonly #options: OwnIpamOptions;
  readonly #medium = createMemoryIpamMedium();
  #life: Life;
  #addresses: readonly Address[] = [];
  /** What its administrator does, one after the other. */
  #work: Promise<unknown> = Promise.resolve();
  isAway = false;
  wayMs = WAY_MS;

  constructor(options: OwnIpamOptions) {
    this.#options = options;
    this.#life = this.#begin();
    const made = ipamCommands.createClass({ uuid: uuidOf(0), name: MEMORY_IPAM_CLASS });
    this.#do((service) => service.run(made));
  }

  #begin(): Life {
    const clock = createProcessClock(this.#options.clock);
    const memory = createMemoryIpamStore({ medium: this.#medium });
    const commit: typeof memory.commit = async (changes) => {
      if (clock.isKilled) throw away();
      await memory.commit(changes);
    };
    const store = { ...memory, commit };
    const how = { store, clock, log: this.#options.log, leaseMs: LEASE_MS, graceMs: GRACE_MS };
    return { clock, service: createIpamService(how) };
  }

  restart(): void {
    this.#life.clock.kill();
    this.#life = this.#begin();
  }

  get addresses(): readonly Address[] {
    return this.#addresses;
  }

  /** Each is a netblock of its own, so that any may go. */
  set addresses(wanted: readonly Address[]) {
    const before = this.#addresses;
    this.#addresses = wanted;
    for (const address of before.filter((one) => !wanted.includes(one))) {
      this.#do((service) => service.run(ipamCommands.deleteNetblock(blockOf(address))));
    }
    for (const address of wanted.filter((one) => !before.includes(one))) {
      const range = { family: familyOf(address), first: address, last: address };
      const netblock = { uuid: blockOf(address), class: MEMORY_IPAM_CLASS, range };
      this.#do((service) => service.run(ipamCommands.createNetblock(netblock)));
    }
  }

  held(): readonly string[] {
    return this.#registrations()
      .toSorted((a, b) => compareAddress(a.address, b.address))
      .map(({ address, owner = "" }) => `${address} ${owner}`);
  }

  takeBack(address: Address, to?: string): void {
    const held = this.#registrations().find((one) => one.address === address);
    if (held !== undefined) {
      this.#do((service) => service.run(ipamCommands.release(held.uuid)));
    }
    if (to === undefined) return;
    const wish = { class: MEMORY_IPAM_CLASS, uuid: uuidOf(1), address, owner: to };
    this.#do((service) => service.run(ipamCommands.register(wish)));
  }

  client(attempt: () => Promise<void> = () => Promise.resolve()): ReturnType<MemoryIpam["client"]> {
    const heard = async <T>(hear: (service: IpamService) => Promise<T>): Promise<T> => {
      await attempt();
      if (this.isAway) throw away();
      const answer = await hear(await this.#life.service);
      // It was heard, and the answer is lost.
      await attempt();
      return answer;
    };
    return {
      register: (place, wish) =>
        heard(async (service) => {
          const asked = { ...wish, class: place.class, uuid: readUuid(wish.uuid) };
          const answer = await service.run(ipamCommands.register(asked));
          if (answer.kind === "done") return { kind: "granted", address: answer.value.address };
          return { kind: "refused", detail: `${answer.why} (${answer.reason})` };
        }),
      renew: (_, uuids) =>
        heard(async (service) => {
          const answer = await service.run(ipamCommands.renewMany(uuids.map(readUuid)));
          return answer.kind === "done" ? answer.value.unknown : [];
        }),
      release: (_, uuid) =>
        heard(async (service) => {
          await service.run(ipamCommands.release(readUuid(uuid)));
        }),
    };
  }

  #do(what: (service: IpamService) => Promise<unknown>): void {
    this.#work = this.#work.then(async () => what(await this.#life.service));
  }

  /** Those that are durable. */
  #registrations(): StoredIpam["registrations"] {
    return [...this.#medium.rows]
      .filter(([key]) => key.startsWith("registration "))
      .map(([, row]) => row as StoredIpam["registrations"][number]);
  }
}

function readUuid(text: string): Uuid {
  return present(parseUuid(text), `${text} is a uuid`);
}

/** One that stands for a number. */
function uuidOf(n: number): Uuid {
  return readUuid(`00000000-0000-4000-8000-${String(n).padStart(12, "0")}`);
}

function blockOf(address: Address): Uuid {
  const digits = Buffer.from(address).toString("hex").slice(-12).padStart(12, "0");
  return readUuid(`b0000000-0000-4000-8000-${digits}`);
}
