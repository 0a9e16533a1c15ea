// An IPAM elsewhere, in memory, that behaves: one address for each uuid, for as long as it is not
// released or taken back. It can be away, and give its addresses to others. What it was told
// outlives its clients; the clients may have bad luck.

import type { IpamAnswer, IpamClient } from "@fairlead/controller";
import { type Address, compareAddress, familyOf } from "@fairlead/model";
import { EdgeError } from "@fairlead/runtime";

/** An IPAM with one class, `lab`. */
export interface MemoryIpam {
  /** What may be given, the first first. */
  addresses: readonly Address[];
  /** Whether nobody reaches it. */
  isAway: boolean;
  /** How long a question takes there, and as long the answer back, in ms; for its clients. */
  wayMs: number;
  /** Who holds what: the owner's words by address, sorted. */
  held(): readonly string[];
  /** Its holder is forgotten; with `to` somebody else has it now. */
  takeBack(address: Address, to?: string): void;
  /** Its process is killed and another one started; what was given outlives that. */
  restart(): void;
  /** A client whose calls fail by `attempt`, before or after they were heard. */
  client(attempt?: () => Promise<void>): IpamClient;
}

interface Held {
  readonly address: Address;
  readonly owner: string;
}

/** Of a network that is well. */
const WAY_MS = 2;

/** The class that there is. */
export const MEMORY_IPAM_CLASS = "lab";

/** Makes one that has given nothing. */
export function createMemoryIpam(addresses: readonly Address[]): MemoryIpam {
  const held = new Map<string, Held>();

  function register(
    of: string,
    { uuid, owner, family, address }: Parameters<IpamClient["register"]>[1],
  ): IpamAnswer {
    if (of !== MEMORY_IPAM_CLASS) return refused(`no class is ${of} (UnknownClass)`);
    const known = held.get(uuid);
    if (known !== undefined) {
      held.set(uuid, { ...known, owner });
      return { kind: "granted", address: known.address };
    }
    const taken = new Map(Array.from(held.values(), (one) => [one.address, one.owner]));
    const fitting = ipam.addresses.filter((one) => familyOf(one) === family);
    const free = fitting.find((one) => !taken.has(one) && (address ?? one) === one);
    if (free !== undefined) {
      held.set(uuid, { address: free, owner });
      return { kind: "granted", address: free };
    }
    const holder = address && taken.get(address);
    if (holder !== undefined) return refused(`${address} is held by ${holder} (AddressTaken)`);
    if (address !== undefined) return refused(`${address} is in no netblock (AddressOutsideClass)`);
    return refused(`class ${of} has no free ${family} (ClassExhausted)`);
  }

  const ipam: MemoryIpam = {
    addresses,
    isAway: false,
    wayMs: WAY_MS,
    held: () =>
      [...held.values()]
        .sort((a, b) => compareAddress(a.address, b.address))
        .map(({ address, owner }) => `${address} ${owner}`),
    takeBack: (address, to) => {
      for (const [uuid, one] of held) if (one.address === address) held.delete(uuid);
      if (to !== undefined) held.set(`uuid of ${to}`, { address, owner: to });
    },
    // It has no process that could lose anything.
    restart: () => undefined,
    client: (attempt = () => Promise.resolve()) => {
      const heard = async <T>(hear: () => T): Promise<T> => {
        await attempt();
        if (ipam.isAway) throw away();
        const answer = hear();
        // It was heard, and the answer is lost.
        await attempt();
        return answer;
      };
      return {
        register: (place, wish) => heard(() => register(place.class, wish)),
        renew: (_, uuids) => heard(() => uuids.filter((uuid) => !held.has(uuid))),
        release: (_, uuid) => heard(() => void held.delete(uuid)),
      };
    },
  };
  return ipam;
}

function refused(detail: string): IpamAnswer {
  return { kind: "refused", detail };
}

/** What a client is told that reaches nobody. */
export function away(): EdgeError {
  const message = "nobody answers at the IPAM";
  return new EdgeError({ code: "UNREACHABLE", message, retryable: true });
}
