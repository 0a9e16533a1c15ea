// One process as /proc shows it now. It is read without waiting: five looks a second through the
// thread pool would cost more than they find, and /proc answers from memory. It changes nothing.

import { closeSync, openSync, readSync, readlinkSync } from "node:fs";

import { readNow } from "../read-or-nothing.ts";

/** A process at one moment. */
export interface ProcessLook {
  readonly pid: number;
  /** The kernel's letter: R, S, D, T, t, Z, X. */
  readonly state: string;
  readonly parent: number;
  /** Clock ticks since boot: tells it from another process that got its number. */
  readonly startTicks: string;
}

/** Looks at a process; undefined when there is none of that number, or only what is left of one. */
export function lookAt(pid: number): ProcessLook | undefined {
  return lookOf(pid, readNow(`/proc/${pid}/stat`));
}

/** A process that is looked at again and again. */
export interface FollowedProcess extends Disposable {
  readonly pid: number;
  /** Undefined once it has ended, whoever has its number then. */
  look(): ProcessLook | undefined;
}

/** Field 22, where the first is field 3; what is behind it is not looked at. */
const START_FIELD = 19;
/** No line of stat is longer: 52 numbers and a name of 64 bytes; so many are 250 children. */
const BYTES_MAX = 2048;

/**
 * Follows a process by its file, which stays open and stays that process's: one call of the system
 * a look, of four. Undefined when there is none of that number.
 */
export function follow(pid: number): FollowedProcess | undefined {
  const file = followText(`/proc/${pid}/stat`);
  if (file === undefined) return undefined;
  let seen: ProcessLook | undefined;
  return {
    pid,
    look: () => {
      const said = file.read();
      // One that sleeps says the same for seconds.
      if (said?.isNew) seen = lookOf(pid, said.text);
      return said && seen;
    },
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

/** The children of a process, looked at again and again. */
export interface FollowedChildren extends Disposable {
  /** The same list for as long as they are the same; empty once the process has ended. */
  look(): readonly number[];
}

/** Follows the children of a process as `follow` does it. Undefined when there is none. */
export function followChildren(pid: number): FollowedChildren | undefined {
  const file = followText(childrenPath(pid));
  if (file === undefined) return undefined;
  let seen: readonly number[] = [];
  return {
    look: () => {
      const said = file.read();
      if (said?.isNew) seen = numbersIn(said.text);
      return said === undefined ? [] : seen;
    },
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

/** A file of /proc that stays open. */
interface FollowedText extends Disposable {
  /** What it says, and whether that is new since the look before; undefined once it is gone. */
  read(): { readonly text: string; readonly isNew: boolean } | undefined;
}

function followText(path: string): FollowedText | undefined {
  const file = openNow(path);
  if (file === undefined) return undefined;
  let [now, before] = [emptyBytes(), emptyBytes()];
  let said: { readonly text: string; readonly isNew: false } | undefined;
  return {
    read: () => {
      try {
        now.length = readSync(file, now.buffer, 0, BYTES_MAX, 0);
      } catch {
        return undefined;
      }
      const isSame = isSameBytes(now, before);
      [now, before] = [before, now];
      if (said !== undefined && isSame) return said;
      said = { text: before.buffer.toString("latin1", 0, before.length), isNew: false };
      return { ...said, isNew: true };
    },
    [Symbol.dispose]: () => closeSync(file),
  };
}

/** Bytes in a buffer that is used again. */
interface Bytes {
  readonly buffer: Buffer;
  length: number;
}

function emptyBytes(): Bytes {
  return { buffer: Buffer.allocUnsafeSlow(BYTES_MAX), length: 0 };
}

function isSameBytes(one: Bytes, other: Bytes): boolean {
  const { buffer, length } = other;
  return one.length === length && one.buffer.compare(buffer, 0, length, 0, length) === 0;
}

function openNow(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch {
    return undefined;
  }
}

function lookOf(pid: number, stat: string): ProcessLook | undefined {
  // The name in brackets may hold anything; what follows it starts with field 3 (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ", START_FIELD + 1);
  const [state = "", parent] = fields;
  if (state === "" || state === "Z" || state === "X") return undefined;
  return { pid, state, parent: Number(parent), startTicks: fields[START_FIELD] ?? "" };
}

/** How often a process has given the processor up by itself; undefined when it is gone. */
export function pausesOf(pid: number): number | undefined {
  const found = /^voluntary_ctxt_switches:\s+(\d+)$/m.exec(readNow(`/proc/${pid}/status`));
  return found === null ? undefined : Number(found[1]);
}

/** The children of a process, by number. */
export function childrenOf(pid: number): readonly number[] {
  return numbersIn(readNow(childrenPath(pid)));
}

function childrenPath(pid: number): string {
  return `/proc/${pid}/task/${pid}/children`;
}

function numbersIn(text: string): readonly number[] {
  const words = text.split(" ");
  return words.filter((word) => /^[1-9][0-9]*$/.test(word)).map(Number);
}

/**
 * The process that leads a daemon, by the record that its run script wrote; undefined when it does
 * not live, or is one of another boot or PID namespace, whose numbers mean nothing here.
 */
export function leaderOf(recordPath: string): ProcessLook | undefined {
  const [pid = "", boot, namespace, startTicks] = readNow(recordPath).trim().split(" ");
  if (!/^[1-9][0-9]*$/.test(pid)) return undefined;
  if (boot !== readNow("/proc/sys/kernel/random/boot_id").trim()) return undefined;
  if (namespace !== namespaceOfPids()) return undefined;
  const found = lookAt(Number(pid));
  return found?.startTicks === startTicks ? found : undefined;
}

function namespaceOfPids(): string | undefined {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return undefined;
  }
}
