// Watches every write of the store and every address that comes to a host: an address is given to
// somebody else only after it was released, released once, and never while a host has it. Given the
// ring's hosts; it changes nothing.

import {
  type Address,
  type AgentName,
  type Claim,
  type ClaimId,
  type LeasedAddress,
  vipName,
} from "@fairlead/model";

import { createMemoryMedium, type MemoryMedium } from "../fakes/memory-store.ts";
import { heldAddresses, type Ring } from "../scenario/ring.ts";

/** A medium whose leases are watched. */
export interface LeaseWatch {
  readonly medium: MemoryMedium;
  /** What went wrong, in the order of time. */
  readonly faults: readonly string[];
  /** Begins to look at the hosts. */
  attach(ring: Ring): void;
  /** Looks at what hosts hold now. */
  look(): void;
}

type State = LeasedAddress["state"]["kind"] | "free";

/** What may follow on what. */
const NEXT: Readonly<Record<State, readonly State[]>> = {
  free: ["held"],
  held: ["held", "draining", "quarantined"],
  draining: ["draining", "held", "quarantined"],
  quarantined: ["quarantined", "held", "free"],
};

/** Makes the watch with an empty medium. */
export function createLeaseWatch(): LeaseWatch {
  return new Watch();
}

class Watch implements LeaseWatch {
  readonly medium: MemoryMedium;
  readonly faults: string[] = [];
  readonly #said = new Set<string>();
  #ring: Ring | undefined;

  constructor() {
    const leases = new WatchedLeases((address, before, after) =>
      this.#onWrite(address, before, after),
    );
    this.medium = { ...createMemoryMedium(), leases };
  }

  attach(ring: Ring): void {
    this.#ring = ring;
  }

  look(): void {
    for (const agent of this.#ring?.agents.values() ?? []) {
      for (const text of heldAddresses(agent.host.lines())) {
        const row = this.medium.leases.get(text as Address);
        if (row?.sentTo.includes(agent.name) === true) continue;
        const owners = row === undefined ? "nobody has it" : `sent to ${row.sentTo.join(",")}`;
        this.#fault(`${agent.name} has ${text}, in the store ${owners}`);
      }
    }
  }

  #onWrite(
    address: Address,
    before: LeasedAddress | undefined,
    after: LeasedAddress | undefined,
  ): void {
    const from: State = before?.state.kind ?? "free";
    const to: State = after?.state.kind ?? "free";
    if (!NEXT[from].includes(to)) this.#fault(`${address} went from ${from} to ${to}`);
    this.#judgePorts(address, before, after);
    const isGivenOn =
      from === "held" && to === "held" && !sharesOwner(before?.owners ?? [], after?.owners ?? []);
    const isReleased = to === "quarantined" && from !== "quarantined";
    if (!isGivenOn && !isReleased) return;
    const verb = isReleased ? "released" : "given on";
    const doubtful = isGivenOn ? before?.sentTo.filter((name) => !this.#denies(name, address)) : [];
    if (doubtful !== undefined && doubtful.length > 0) {
      this.#fault(`${address} was given on while ${doubtful.join(",")} may have it`);
    }
    for (const { name, host } of this.#ring?.agents.values() ?? []) {
      if (!heldAddresses(host.lines()).includes(address)) continue;
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
    const owners = portOwners(after);
    if (owners === undefined) this.#fault(`${address} has a port with two owners`);
    const claims = this.#ring?.controller.context()?.view.state.claims;
    for (const [port, claim] of portOwners(before) ?? []) {
      const now = owners?.get(port);
      if (now === claim) continue;
      const value = claims?.get(claim)?.value;
      if (value === undefined || !hasOwner(before, value) || !asksFor(value, port)) continue;
      const mayLeave = this.#hasOther(value, address) || mustPart(before, value);
      if (now === undefined && mayLeave) continue;
      this.#fault(`${port} of ${address} went from ${claim} to ${now ?? "nobody"}`);
    }
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
  const isShared = row?.owners.some((owner) => owner.uid !== uid) ?? false;
  return isShared && row?.sharingKey !== sharingKey;
}

function asksFor({ listeners, wishedAddresses }: Claim, key: string): boolean {
  // One that wishes for another address may leave by itself.
  if (wishedAddresses.length > 0) return false;
  return listeners.some(({ protocol, port }) => `${protocol}/${port}` === key);
}

function sharesOwner(a: LeasedAddress["owners"], b: LeasedAddress["owners"]): boolean {
  return a.some(({ uid }) => b.some((other) => other.uid === uid));
}

type OnWrite = (
  address: Address,
  before: LeasedAddress | undefined,
  after: LeasedAddress | undefined,
) => void;

/** A map that tells of each write. */
class WatchedLeases extends Map<Address, LeasedAddress> {
  readonly #onWrite: OnWrite;

  constructor(onWrite: OnWrite) {
    super();
    this.#onWrite = onWrite;
  }

  override set(address: Address, row: LeasedAddress): this {
    this.#onWrite(address, this.get(address), row);
    return super.set(address, row);
  }

  override delete(address: Address): boolean {
    this.#onWrite(address, this.get(address), undefined);
    return super.delete(address);
  }
}
