// Where a command writes and in which form. Results go to standard output and nothing else does;
// what is for people goes to standard error.

import { stringify } from "yaml";

import { quoteValue } from "@fairlead/runtime";

import { EXIT, type ExitCode } from "./exit-codes.ts";

/** The forms that `-o` takes. */
export const OUTPUT_FORMS: readonly ["table", "wide", "json", "yaml"] = [
  "table",
  "wide",
  "json",
  "yaml",
];

/** One of the forms. */
export type OutputForm = (typeof OUTPUT_FORMS)[number];

/** What a command may touch of the outside. */
export interface CommandContext {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Calls `run` when the user presses Ctrl-C, until disposed; who waits for ever must listen. */
  readonly onInterrupt: (run: () => void) => Disposable;
}

/** Writes a value as JSON or YAML; false when the form is a table's. */
export function writeStructured(
  context: CommandContext,
  form: OutputForm,
  value: unknown,
): boolean {
  if (form === "json") context.out(`${JSON.stringify(value, undefined, 2)}\n`);
  else if (form === "yaml") context.out(stringify(value));
  else return false;
  return true;
}

/** The four parts of an error as people read them. */
export interface Complaint {
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
  readonly code: string;
}

/** What may stand in a sentence as it is: names, addresses, paths. */
const PLAIN = /^[\w./:-]{1,80}$/u;

/** What somebody typed, as it stands in a complaint: in quotes where it could be misread. */
export function typed(text: string): string {
  return PLAIN.test(text) ? text : quoteValue(text);
}

/** Writes an error in its four parts. */
export function complain(context: CommandContext, complaint: Complaint, exit: ExitCode): ExitCode {
  context.err(`error: ${complaint.what}\n`);
  context.err(`  why:  ${complaint.why}\n`);
  context.err(`  do:   ${complaint.remedy}\n`);
  context.err(`  code: ${complaint.code}\n`);
  return exit;
}

/** Whether everything is well, as an exit code. */
export function exitOf(isGood: boolean): ExitCode {
  return isGood ? EXIT.good : EXIT.bad;
}
