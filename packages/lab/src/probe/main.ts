// The probing client of the lab: connects at a steady pace and tells of every try. Given on the
// command line as one JSON text (ProbeCommand). Tries overlap, so a slow one delays no other. It
// ends by itself after its duration, or early when its standard input ends.

import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { monotonicMs } from "../monotonic.ts";
import type { ProbeCommand } from "../probe-client.ts";
import { formatTry, type Try } from "../probe-tries.ts";

type Outcome = Pick<Try, "member" | "failure">;
type Done = (outcome: Outcome) => void;

const command = JSON.parse(process.argv[2] ?? "{}") as ProbeCommand;
const endMs = monotonicMs() + command.durationMs;
const tryOnce = command.protocol === "udp" ? datagramTries() : tryConnection;

let nextMs = monotonicMs();
let beforeMs = nextMs;
let longestPauseMs = 0;
let inFlight = 0;

process.stdin.on("end", finish).resume();
process.stdout.write("started\n");
tick();

/** One turn. A turn that comes late skips what it missed: a burst would measure itself. */
function tick(): void {
  const nowMs = monotonicMs();
  longestPauseMs = Math.max(longestPauseMs, nowMs - beforeMs);
  beforeMs = nowMs;
  if (nowMs >= endMs) finish();
  if (inFlight < command.inFlightMax) begin(nowMs);
  while (nextMs <= nowMs) nextMs += command.everyMs;
  setTimeout(tick, nextMs - nowMs);
}

function begin(atMs: number): void {
  inFlight += 1;
  tryOnce((outcome) => {
    inFlight -= 1;
    process.stdout.write(`${formatTry({ atMs, tookMs: monotonicMs() - atMs, ...outcome })}\n`);
  });
}

/** Connects, asks, reads the answer to its end. Calls `done` exactly once. */
function tryConnection(done: Done): void {
  const socket = connect({ host: command.address, port: command.port });
  let text = "";
  let open = true;
  const end = (member: string | undefined, failure = "no answer"): void => {
    if (!open) return;
    open = false;
    clearTimeout(timer);
    socket.destroy();
    done(outcomeOf(member, failure));
  };
  // A client that did not run has answers waiting, which the loop reads after its timers.
  const giveUp = (): void => void setImmediate(end, undefined, "timeout");
  const timer = setTimeout(giveUp, command.timeoutMs);
  socket.setEncoding("utf8");
  socket.on("error", (error: NodeJS.ErrnoException) => end(undefined, error.code));
  socket.on("connect", () => socket.write("GET / HTTP/1.0\r\n\r\n"));
  socket.on("data", (chunk: string) => {
    text += chunk;
  });
  socket.on("end", () => end(/\r\n\r\n(\S+) /.exec(text)?.[1]));
}

/** One socket for all datagrams, as a steady client has; answers are matched by number. */
function datagramTries(): (done: Done) => void {
  const socket = createSocket(command.address.includes(":") ? "udp6" : "udp4");
  const open = new Map<string, (member: string) => void>();
  let sent = 0;
  socket.on("error", () => undefined);
  socket.on("message", (message) => {
    const words = message.toString("utf8").split(" ");
    open.get(words.at(-1) ?? "")?.(words[0] ?? "");
  });
  return (done) => {
    sent += 1;
    const number = String(sent);
    const end = (member: string | undefined, failure = "no answer"): void => {
      clearTimeout(timer);
      if (open.delete(number)) done(outcomeOf(member, failure));
    };
    const giveUp = (): void => void setImmediate(end, undefined, "timeout");
    const timer = setTimeout(giveUp, command.timeoutMs);
    open.set(number, end);
    socket.send(number, command.port, command.address, (error: NodeJS.ErrnoException | null) => {
      if (error !== null) end(undefined, error.code);
    });
  };
}

/** What a try came to: its member, or why there is none. */
function outcomeOf(member: string | undefined, failure: string): Outcome {
  return member === undefined ? { member, failure } : { member };
}

function finish(): void {
  process.stdout.write(`${JSON.stringify({ longestPauseMs })}\n`, () => process.exit(0));
}
