// A table of members that behaves: places are those of a real agent, and it holds what it was
// filled with until somebody flushes it. Given what may fail.

import {
  type MemberTable,
  type PlacedMembers,
  type ServiceRoutes,
  type Unrouted,
  NO_PLACES,
  placeAll,
} from "@fairlead/agent";
import { parseAddress, present, type Remark } from "@fairlead/model";
import type { ServiceRanges } from "@fairlead/render";
import { describeError } from "@fairlead/runtime";

/** A fake table with what is done to it. */
export interface FakeMemberTable {
  readonly table: MemberTable;
  /** The routes to it. */
  readonly routes: Pick<ServiceRoutes, "unrouted">;
  /** Members that nginx's connections for `192.0.2.100:80` reach: endpoints, sorted. */
  membersOf(endpoint: string): readonly string[];
  /** What it was filled with last. */
  readonly filled: readonly PlacedMembers[];
  /** How often it was filled with something else than before. */
  readonly fills: number;
  /** Somebody flushes it. */
  flush(): void;
  /** Somebody removes the routes to it: no connection finds a member. */
  unroute(): void;
  /** The host loses power: the kernel forgets it. */
  powerOff(): void;
}

const ROUTED: readonly Unrouted[] = [];

/** Networks of fake hosts. */
export const FAKE_RANGES: Required<ServiceRanges> = {
  ipv4: { network: "198.18.0.0/15", target: present(parseAddress("198.18.0.1"), "an address") },
  ipv6: { network: "fdfa:1ead::/64", target: present(parseAddress("fdfa:1ead::1"), "an address") },
};

/**
 * Makes an empty one.
 * @param attempt called first by every change; throws when it fails.
 */
export function createFakeMemberTable(attempt: (call: string) => void): FakeMemberTable {
  let book = NO_PLACES;
  let filled: readonly PlacedMembers[] = [];
  let fills = 0;
  const routes = createFakeRoutes(attempt);
  const listeners = new Set<() => void>();
  let isFlushed = false;
  let isLost = false;
  const table: MemberTable = {
    get isLost() {
      return isLost;
    },
    place: async (wanted) => {
      attempt("members.place");
      book = placeAll(book, wanted, FAKE_RANGES);
      return book.places;
    },
    fill: async (entries) => {
      isLost = isFlushed;
      attempt("members.fill");
      [isLost, isFlushed] = [false, false];
      const next = [...entries.values()];
      if (textOf(next) !== textOf(filled)) fills += 1;
      filled = next;
    },
    onDrift: (listener) => {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return {
    table,
    routes,
    membersOf: (endpoint) =>
      (routes.areThere ? filled : [])
        .filter(({ listener }) => `${listener.address}:${listener.port}` === endpoint)
        .flatMap(({ members }) => members.members.map(({ address, port }) => `${address}:${port}`))
        .toSorted(),
    get filled() {
      return filled;
    },
    get fills() {
      return fills;
    },
    flush: () => {
      filled = [];
      isFlushed = true;
      for (const listener of listeners) listener();
    },
    unroute: () => routes.remove(),
    powerOff: () => {
      filled = [];
      book = NO_PLACES;
    },
  };
}

function textOf(entries: readonly PlacedMembers[]): string {
  return entries.map(({ place, membersRevision }) => `${place.service} ${membersRevision}`).join();
}

type FakeRoutes = FakeMemberTable["routes"] & { readonly areThere: boolean; remove(): void };

function createFakeRoutes(attempt: (call: string) => void): FakeRoutes {
  let areThere = true;
  return {
    get areThere() {
      return areThere;
    },
    remove: () => {
      areThere = false;
    },
    unrouted: async () => {
      if (areThere) return ROUTED;
      try {
        attempt("members.route");
        areThere = true;
      } catch (error) {
        const remark: Remark = { reason: "DataPlaneDown", detail: describeError(error) };
        return [{ family: "ipv4", remark }];
      }
      return ROUTED;
    },
  };
}
