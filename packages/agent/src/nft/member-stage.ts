// The table of members on a real kernel, for tests in a sandbox: what it is made with, and how it
// is filled in a few words. For tests alone.

import assert from "node:assert/strict";

import {
  type ListenerResource,
  type MemberSetResource,
  present,
  type Revision,
} from "@fairlead/model";
import { createLogger, runProgram } from "@fairlead/runtime";

import type { MemberTable, PlacedMembers } from "../ports.ts";
import { parseServiceRanges, SERVICE_NETWORKS } from "../service-ranges.ts";
import type { createMemberTable } from "./member-table.ts";

/** The program of nftables. */
export const NFT = "/usr/sbin/nft";

/** What every table here is made with, but for the file of its places. */
export const OPTIONS: Omit<Parameters<typeof createMemberTable>[0], "placesFile"> = {
  nft: NFT,
  ranges: present(parseServiceRanges(SERVICE_NETWORKS), "the default networks"),
  logger: createLogger({ level: "silent", format: "json" }),
  random: Math.random,
};

/** Runs a program, which has to succeed; what it printed. */
export async function run(command: string, args: readonly string[], input = ""): Promise<string> {
  const limits = { timeoutMs: 10_000, maxOutputBytes: 1_000_000 };
  const result = await runProgram({ command, args, input, ...limits });
  assert.equal(result.code, 0, result.stderr);
  return result.stdout;
}

/** Fills a table with listeners, `192.0.2.100:80/tcp`, and their members. */
export type Fill = (
  table: MemberTable,
  entries: readonly [string, readonly string[]][],
) => Promise<PlacedMembers[]>;

/** Fills tables. Given how a listener and its members are made of texts. */
export function fillBy(
  listenerOf: (
    endpoint: string,
    members: readonly string[],
  ) => readonly [ListenerResource, MemberSetResource],
): Fill {
  return async (table, entries) => {
    const wanted = entries.map(([at, members]) => {
      const [listener, set] = listenerOf(at, members);
      return { listener, members: set, membersRevision: members.join() as Revision };
    });
    const places = await table.place(new Map(wanted.map((one) => [one.listener.name, one])));
    const placed = wanted.map((one) => ({
      ...one,
      place: present(places.get(one.listener.name), "a place for each"),
    }));
    await table.fill(byService(placed));
    return placed;
  };
}

/** What a table is filled with, by service address. */
export function byService(placed: readonly PlacedMembers[]): Parameters<MemberTable["fill"]>[0] {
  return new Map(placed.map((one) => [one.place.service, one]));
}
