// What `--watch` prints: the usual table, then one line a row that changed, or one object a row.
// Given what changed. Pure but for the widths of columns, which stay for the next line.

import {
  AddressRowSchema,
  type AgentRow,
  AgentRowSchema,
  ClaimRowSchema,
  ControllerRowSchema,
  FindingRowSchema,
  type ListResponse,
  PoolRowSchema,
  rowToJson,
} from "@fairlead/wire";

import {
  AGENT_COLUMNS,
  CLAIM_COLUMNS,
  FINDING_COLUMNS,
  formatAgents,
  formatStatus,
} from "./status-view.ts";
import { type Column, createRowPrinter, type TableOptions } from "./table.ts";
import type { Change, Changes } from "./watch-fold.ts";

/** One row that changed, as one value of `-o json` and `-o yaml`. */
export interface ChangeValue {
  readonly kind: "controller" | "claim" | "agent" | "pool" | "address" | "finding";
  readonly change: Change<unknown>["change"];
  /** As in a list. */
  readonly row: ReturnType<typeof rowToJson>;
}

/** Prints what changed for people. */
export interface ChangePrinter {
  /** The usual output, for the state at the beginning. */
  begin(list: ListResponse): string;
  /** The lines for what changed after it; empty when nothing of it is shown. */
  print(changes: Changes): string;
}

/** The state of a row that is no more. */
const GONE = "gone";

/** Prints Services as they change, and else only what `fairlead status` shows. */
export function createStatusPrinter(options: TableOptions): ChangePrinter {
  const claims = createRowPrinter(withGone(CLAIM_COLUMNS, "STATE"), options);
  const lines = { ...options, headings: false };
  const agents = createRowPrinter(withKind("agent", withGone(AGENT_COLUMNS, "STATE")), lines);
  const findings = createRowPrinter(
    withKind("finding", withGone(FINDING_COLUMNS, "REASON")),
    lines,
  );
  return {
    begin: (list) => {
      // Printed there; here the columns get their places.
      claims.print(list.claims.map((row) => ({ change: "set", row, before: undefined })));
      return formatStatus(list, usual(options));
    },
    print: (changes) =>
      [
        controllerLine(changes.controller),
        claims.print(changes.claims),
        agents.print(changes.agents.filter(isNews)),
        findings.print(changes.findings),
      ].join(""),
  };
}

/** Prints agents as they change. */
export function createAgentsPrinter(options: TableOptions): ChangePrinter {
  const agents = createRowPrinter(withGone(AGENT_COLUMNS, "STATE"), options);
  return {
    begin: (list) => {
      agents.print(list.agents.map((row) => ({ change: "set", row, before: undefined })));
      return formatAgents(list.agents, usual(options));
    },
    print: ({ agents: changes }) => agents.print(changes),
  };
}

/** Every change as a value, in the order of kinds. */
export function changeValues(changes: Changes): readonly ChangeValue[] {
  const { controller, claims, agents, pools, addresses, findings } = changes;
  return [
    ...(controller === undefined ? [] : [controller]).map(({ change, row }): ChangeValue => {
      return { kind: "controller", change, row: rowToJson(ControllerRowSchema, row) };
    }),
    ...claims.map(({ change, row }): ChangeValue => {
      return { kind: "claim", change, row: rowToJson(ClaimRowSchema, row) };
    }),
    ...agents.map(({ change, row }): ChangeValue => {
      return { kind: "agent", change, row: rowToJson(AgentRowSchema, row) };
    }),
    ...pools.map(({ change, row }): ChangeValue => {
      return { kind: "pool", change, row: rowToJson(PoolRowSchema, row) };
    }),
    ...addresses.map(({ change, row }): ChangeValue => {
      return { kind: "address", change, row: rowToJson(AddressRowSchema, row) };
    }),
    ...findings.map(({ change, row }): ChangeValue => {
      return { kind: "finding", change, row: rowToJson(FindingRowSchema, row) };
    }),
  ];
}

/** In a status an agent is news when it comes, goes, or is in other trouble: not when it works. */
function isNews({ change, row, before }: Change<AgentRow>): boolean {
  const trouble = (one: AgentRow | undefined): string =>
    JSON.stringify([one?.state, one?.remarks.map(({ reason, detail }) => [reason, detail])]);
  return change === "removed" || trouble(before) !== trouble(row);
}

function controllerLine(change: Changes["controller"]): string {
  if (change === undefined) return "";
  const { ready, detail } = change.row;
  return ready ? "controller ready\n" : `controller not ready: ${detail}\n`;
}

/** Columns of rows as columns of changes: a row that is no more says so in one of them. */
function withGone<Row>(
  columns: readonly Column<Row>[],
  heading: string,
): readonly Column<Change<Row>>[] {
  return columns.map((column) => ({
    ...column,
    cell: ({ change, row }) =>
      change === "removed" && column.heading === heading ? GONE : column.cell(row),
  }));
}

/** The first cell with the kind before it, as kubectl does for rows of several kinds. */
function withKind<Row>(kind: string, columns: readonly Column<Row>[]): readonly Column<Row>[] {
  return columns.map((column, index) =>
    index > 0 ? column : { ...column, cell: (row) => `${kind}/${column.cell(row)}` },
  );
}

function usual({ wide = false, headings = true }: TableOptions): {
  readonly wide: boolean;
  readonly headings: boolean;
} {
  return { wide, headings };
}
