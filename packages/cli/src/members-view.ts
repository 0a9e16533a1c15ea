// The table of members of one agent's kernel as text: one line a member, with the names that its
// service addresses stand for. Pure.

import { placeText } from "@fairlead/model";
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

/**
 * What an address is to the agent that has given these: what nginx connects from, or a member;
 * undefined: where clients connect.
 */
export function roleOf(
  address: string,
  listeners: GetMembersResponse["listeners"],
): string | undefined {
  const from = listeners.find(({ service }) => service === address);
  if (from?.claim === "") return `${address} is what nginx connected from for a removed listener`;
  if (from !== undefined) {
    const what = `${listenerText(from)} of ${from.claim}`;
    return `${address} is what nginx connects from on this host, for ${what}`;
  }
  const of = listeners.filter(({ members }) => members.some((one) => one.address === address));
  if (of.length === 0) return undefined;
  const count = of.length === 1 ? "a listener" : `${of.length} listeners`;
  return `${address} is a member of ${count} on this host`;
}

function listenerText(listener: TableListener): string {
  return listener.address === "" ? "" : placeText(listener);
}

function endpoint({ address, port }: Pick<TableMember, "address" | "port">): string {
  return formatHostPort({ host: address, port });
}
