// The table of members of one agent's kernel as text: one line a member, with the names that its
// service addresses stand for. Pure.

import { networkOf, parseAddress, parsePrefix, placeText, rangeContains } from "@fairlead/model";
import { formatHostPort } from "@fairlead/runtime";
import type { GetMembersResponse, TableListener, TableMember } from "@fairlead/wire";

import { type Column, formatTable, type TableOptions } from "./table.ts";

interface Row {
  readonly listener: TableListener;
  /** Absent: the listener has none. */
  readonly member: TableMember | undefined;
}

const COLUMNS: readonly Column<Row>[] = [
  { heading: "LISTENER", cell: ({ listener }) => listenerText(listener) },
  { heading: "CLAIM", cell: ({ listener }) => listener.claim },
  { heading: "FROM", cell: ({ listener }) => listener.service },
  { heading: "MEMBER", cell: ({ member }) => (member ? endpoint(member) : "") },
  {
    heading: "SLOTS",
    cell: ({ listener, member }) => `${member?.slots ?? 0}/${listener.slots}`,
  },
  { heading: "STATE", cell: ({ member }) => member?.state ?? "" },
  { heading: "CONNECTIONS", cell: ({ member }) => (member ? String(member.flows) : "") },
];

/** The table; a listener without members has one line. */
export function formatMembers(
  listeners: GetMembersResponse["listeners"],
  options: TableOptions,
): string {
  const rows = listeners.flatMap((listener): readonly Row[] => {
    if (listener.members.length === 0) return [{ listener, member: undefined }];
    return listener.members.map((member) => ({ listener, member }));
  });
  return formatTable(COLUMNS, rows, options);
}

/** What an address is to the agent that was asked about it. */
export type Role =
  | { readonly kind: "known"; readonly words: string }
  /** It lies in a network of service addresses, and stands for nothing. */
  | { readonly kind: "unused"; readonly network: string };

/**
 * What an address is to the agent that has given this: what nginx connects from or to, or a member;
 * undefined: where clients connect, or nothing of the agent's.
 */
export function roleOf(
  address: string,
  answer: Pick<GetMembersResponse, "listeners" | "networks" | "targets">,
): Role | undefined {
  const { listeners, networks, targets } = answer;
  const known = (words: string): Role => ({ kind: "known", words: `${address} is ${words}` });
  const from = listeners.find(({ service }) => service === address);
  if (from?.claim === "") {
    const members = "what is still connected to its members is below";
    return known(`what nginx connected from on this host, for a listener that is gone: ${members}`);
  }
  if (from !== undefined) {
    const what = `${listenerText(from)} of ${from.claim}`;
    return known(`what nginx connects from on this host, for ${what}`);
  }
  const of = listeners.filter(({ members }) => members.some((one) => one.address === address));
  if (of.length > 0) {
    const count = of.length === 1 ? "a listener" : `${of.length} listeners`;
    return known(`a member of ${count} on this host`);
  }
  if (targets.includes(address)) {
    return known(
      "what nginx connects to on this host, for every listener, with a slot as its port or one " +
        "that stands for all slots; ask about the address that the connection comes from",
    );
  }
  const network = networkAround(address, networks);
  return network === undefined ? undefined : { kind: "unused", network };
}

/** The one of these networks in which it lies. */
export function networkAround(address: string, networks: readonly string[]): string | undefined {
  const parsed = parseAddress(address);
  if (parsed === undefined) return undefined;
  return networks.find((text) => {
    const prefix = parsePrefix(text);
    return prefix.kind === "ok" && rangeContains(networkOf(prefix.value), parsed);
  });
}

function listenerText(listener: TableListener): string {
  return listener.address === "" ? "" : placeText(listener);
}

function endpoint({ address, port }: Pick<TableMember, "address" | "port">): string {
  return formatHostPort({ host: address, port });
}
