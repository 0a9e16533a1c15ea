// Watches every write of the store and every address that comes to a host: an address is given to
// somebody else only after it was released, released once, and never while a host has it. Given the
// ring's hosts; it changes nothing.

import {
  type Address,
  type AgentName,
  type Claim,
  type ClaimId,
  claimTitle,
  familyOf,
  type LeasedAddress,
  vipName,
} from "@fairlead/model";

import { createMemoryMedium, type MemoryMedium, restoreMedium } from "../fakes/memory-store.ts";
import { heldAddresses, type Ring } from "../scenario/ring.ts";
import { WatchedLeases } from "./watched-leases.ts";

/** A medium whose leases are watched. */
export interface LeaseWatch {
  readonly medium: MemoryMedium;
  /** What went wrong, in the order of time. */
  readonly faults: readonly string[];
  /** Begins to look at the hosts. */
  attach(ring: Ring): void;
  /** Looks at what hosts hold now. */
  look(): void;
  /** Puts another medium in the place of this one, as from a backup; no controller may run. */
  replaceStore(medium: MemoryMedium): void;
  /** An operator says that an agent is gone, whose host has no power. */
  forget(agent: AgentName): void;
  /** An operator says that nobody has the address, and it is true. */
  release(address: Address): void;
}

type State = LeasedAddress["state"]["kind"] | "free";

/** The slowest write of a day, with its way there, in ms. */
const WRITE_MS_MAX = 3500;

/** The pool of a day that may let nothing rest. */
const RESTLESS_POOL = "side";

/** What may follow on what. */
const NEXT: Readonly<Record<State, readonly State[]>> = {
  free: ["held"],
  held: ["held", "draining", "quarantined", "free"],
  // Free at once by an operator's word, or where a pool lets nothing rest.
  draining: ["draining", "held", "quarantined", "free"],
  quarantined: ["quarantined", "held", "free"],
};

/** Makes the watch with an empty medium. `tell` is told of each write in a few words. */
export function createLeaseWatch(tell: (line: string) => void = () => undefined): LeaseWatch {
  return new Watch(tell);
}

class Watch implements LeaseWatch {
  readonly medium: MemoryMedium;
  readonly faults: string[] = [];
  readonly #said = new Set<string>();
  /** Who may have which address although the store does not know it. */
  readonly #unknown = new Set<string>();
  /** What an agent that was declared gone had by the store, until a write takes it from there. */
  readonly #forgotten = new Set<string>();
  readonly #released = new Set<Address>();
  /** Since when each claim is as it is. */
  readonly #wishes = new Map<ClaimId, { readonly claim: Claim; readonly nowMs: number }>();
  #isBlind = false;
  #isReplaced = false;
  #ring: Ring | undefined;

  constructor(tell: (line: string) => void) {
    const leases = new WatchedLeases((address, before, after) => {
      tell(`${this.#ring?.clock.nowMs() ?? 0} ms: row ${address} ${rowText(after)}`);
      this.#onWrite(address, before, after);
    });
    this.medium = { ...createMemoryMedium(), leases };
  }

  attach(ring: Ring): void {
    this.#ring = ring;
  }

  look(): void {
    const nowMs = this.#ring?.clock.nowMs() ?? 0;
    for (const [id, { value }] of this.#ring?.controller.context()?.view.state.claims ?? []) {
      if (this.#wishes.get(id)?.claim !== value) this.#wishes.set(id, { claim: value, nowMs });
    }
    for (const agent of this.#ring?.agents.values() ?? []) {
      for (const text of heldAddresses(agent.host.lines())) {
        const row = this.medium.leases.get(text as Address);
        const pair = `${agent.name} ${text}`;
        const isSentTo = row?.sentTo.includes(agent.name) === true;
        if (isSentTo) this.#unknown.delete(pair);
        if (isSentTo || this.#unknown.has(pair)) continue;
        const owners = row === undefined ? "nobody has it" : `sent to ${row.sentTo.join(",")}`;
        this.#fault(`${agent.name} has ${text}, in the store ${owners}`);
      }
    }
  }

  replaceStore(medium: MemoryMedium): void {
    for (const { address, sentTo } of this.medium.leases.values()) {
      for (const agent of sentTo) this.#unknown.add(`${agent} ${address}`);
    }
    this.#isReplaced = true;
    this.#isBlind = true;
    restoreMedium(this.medium, medium);
    this.#isBlind = false;
  }

  forget(agent: AgentName): void {
    for (const { address, sentTo } of this.medium.leases.values()) {
      if (!sentTo.includes(agent)) continue;
      this.#unknown.add(`${agent} ${address}`);
      this.#forgotten.add(`${agent} ${address}`);
    }
  }

  release(address: Address): void {
    this.#released.add(address);
    // Who could not do its plan yet may put it on its device when it can, until it has the next.
    for (const agent of this.medium.leases.get(address)?.sentTo ?? []) {
      this.#unknown.add(`${agent} ${address}`);
    }
  }

  #onWrite(
    address: Address,
    before: LeasedAddress | undefined,
    after: LeasedAddress | undefined,
  ): void {
    if (this.#isBlind) return;
    const left = (before?.sentTo ?? []).filter((name) => !(after?.sentTo ?? []).includes(name));
    const wasForgotten = left.filter((name) => this.#forgotten.delete(`${name} ${address}`));
    const from: State = before?.state.kind ?? "free";
    const to: State = after?.state.kind ?? "free";
    // What a lost store knew is adopted, and left again by the same plan where a stranger has it.
    const isFound = this.#isReplaced && from === "free" && to === "draining";
    if (!NEXT[from].includes(to) && !isFound) {
      this.#fault(`${address} went from ${from} to ${to}`);
    }
    // The rest of the same write is to be seen too.
    queueMicrotask(() => this.#judgePorts(address, before, after));
    const isFreed = to === "free" && (from === "held" || from === "draining");
    if (isFreed && !this.#released.has(address) && before?.pool !== RESTLESS_POOL) {
      this.#fault(`${address} did not rest: it was ${from}, and is free`);
    }
    const isGivenOn = from === "held" && to === "held" && !isShared(before, after);
    const isReleased = isFreed || (to === "quarantined" && from !== "quarantined");
    if (!isGivenOn && !isReleased) return;
    const verb = isReleased ? "released" : "given on";
    const doubtful = (isGivenOn ? (before?.sentTo ?? []) : []).filter(
      // One that an operator declared gone is asked nothing more.
      (name) => !this.#denies(name, address) && !wasForgotten.includes(name),
    );
    if (doubtful.length > 0) {
      this.#fault(`${address} was given on while ${doubtful.join(",")} may have it`);
    }
    for (const { name, host } of this.#ring?.agents.values() ?? []) {
      const hasIt = heldAddresses(host.lines()).includes(address);
      if (!hasIt || this.#unknown.has(`${name} ${address}`)) continue;
      this.#fault(`${address} was ${verb} while ${name} had it`);
    }
  }

  /** Whether the agent told the controller that it does not have it. */
  #denies(name: AgentName, address: Address): boolean {
    const agent = this.#ring?.controller.context()?.view.state.agents.get(name);
    if (agent?.report === undefined || !agent.connected) return false;
    return !agent.report.resources.has(vipName(address));
  }

  /**
   * One port has one owner, and whoever has it keeps it while it asks for it. Who has another
   * address too gives up one of them, and who takes another sharing key leaves those with the old.
   */
  #judgePorts(
    address: Address,
    before: LeasedAddress | undefined,
    after: LeasedAddress | undefined,
  ): void {
    const nowMs = this.#ring?.clock.nowMs() ?? 0;
    const owners = portOwners(after);
    if (owners === undefined) this.#fault(`${address} has a port with two owners`);
    const claims = this.#ring?.controller.context()?.view.state.claims;
    for (const [port, claim] of portOwners(before) ?? []) {
      const now = owners?.get(port);
      if (now === claim) continue;
      const value = claims?.get(claim)?.value;
      if (value === undefined || !hasOwner(before, value) || !asksFor(value, port)) continue;
      // What is written was planned before a slow write began, and by what was asked for then.
      const known = this.#wishes.get(claim);
      const sinceMs = known?.claim === value ? known.nowMs : nowMs;
      if (nowMs - sinceMs < WRITE_MS_MAX) continue;
      // Where it has to part, its port is free for those who stay.
      if (mustPart(before, value)) continue;
      if (now === undefined && this.#mayLeave(value, address, before)) continue;
      this.#fault(`${port} of ${address} went from ${claim} to ${now ?? "nobody"}`);
    }
  }

  /** Whether the claim rightly gives the address up although it asks for its port. */
  #mayLeave(claim: Claim, address: Address, before: LeasedAddress | undefined): boolean {
    if (this.#hasOther(claim, address)) return true;
    if (before === undefined || !mayBeOf(claim, address)) return true;
    // Of an agent that is gone, or that its pool allows no more.
    if (before.placement.kind === "host") return true;
    const agents = this.#ring?.controller.context()?.view.state.agents.values() ?? [];
    if ([...agents].some(({ strangers }) => strangers?.has(address) === true)) return true;
    // What serves nobody is left at once for a pool that is asked for.
    return claim.wishedPool !== undefined && claim.wishedPool !== before.pool && !before.published;
  }

  #hasOther(claim: Claim, address: Address): boolean {
    const rows = [...this.medium.leases.values()];
    return rows.some((row) => row.address !== address && hasOwner(row, claim));
  }

  #fault(text: string): void {
    if (this.#said.has(text)) return;
    this.#said.add(text);
    this.faults.push(`at ${this.#ring?.clock.nowMs() ?? 0} ms: ${text}`);
  }
}

function rowText(row: LeasedAddress | undefined): string {
  if (row === undefined) return "free";
  const { state, owners, sentTo, placement, published } = row;
  const place = placeText(placement);
  const names = owners.map(({ claim }) => claimTitle(claim)).join("+") || "nobody";
  const words = published ? "published" : "not published";
  return `${state.kind} by ${names}, ${place}, sent to ${sentTo.join("+") || "nobody"}, ${words}`;
}

/** Who has which port of the row; undefined when one has two owners. */
function portOwners(row: LeasedAddress | undefined): ReadonlyMap<string, ClaimId> | undefined {
  const owners = new Map<string, ClaimId>();
  for (const { claim, ports } of row?.owners ?? []) {
    for (const { protocol, port } of ports) {
      const key = `${protocol}/${port}`;
      if (owners.has(key)) return undefined;
      owners.set(key, claim);
    }
  }
  return owners;
}

function hasOwner(row: LeasedAddress | undefined, { uid }: Claim): boolean {
  return row?.owners.some((owner) => owner.uid === uid) ?? false;
}

/** Whether it may not share the row with its other owners any more. */
function mustPart(row: LeasedAddress | undefined, { uid, sharingKey }: Claim): boolean {
  const hasOthers = row?.owners.some((owner) => owner.uid !== uid) ?? false;
  return hasOthers && row?.sharingKey !== sharingKey;
}

/** Whether the claim may be served on an address of this family. */
function mayBeOf({ families: { policy, families } }: Claim, address: Address): boolean {
  if (policy !== "SingleStack" || families.length === 0) return true;
  return families[0] === familyOf(address);
}

function asksFor({ listeners, wishedAddresses }: Claim, key: string): boolean {
  // One that wishes for another address may leave by itself.
  if (wishedAddresses.length > 0) return false;
  return listeners.some(({ protocol, port }) => `${protocol}/${port}` === key);
}

/**
 * Whether one owner stays, or who comes might have joined who goes: where the store was slow, both
 * are seen in one write.
 */
function isShared(before: LeasedAddress | undefined, after: LeasedAddress | undefined): boolean {
  const [old, owners] = [before?.owners ?? [], after?.owners ?? []];
  if (old.some(({ uid }) => owners.some((one) => one.uid === uid))) return true;
  if (before?.sharingKey === undefined || before.sharingKey !== after?.sharingKey) return false;
  const taken = portOwners(before);
  return [...(portOwners(after)?.keys() ?? [])].every((port) => taken?.has(port) !== true);
}

function placeText(placement: LeasedAddress["placement"]): string {
  if (placement.kind === "lane") return `lane ${placement.lane}`;
  return placement.kind === "host" ? placement.agent : placement.kind;
}
