// Clients that stay: connections that are opened once and asked over again and again, for stories
// in which some of them end. Given the client's host and where they connect to.

import { type Host, type RunningProgram, monotonicMs } from "@fairlead/lab";

/** Connections that stay as long as they are let. */
export interface Stayers extends AsyncDisposable {
  /** The member that each open one was answered by last, sorted. */
  open(): readonly string[];
  /** The same of those that ended. */
  ended(): readonly string[];
  /** When the first of these ended, in monotonic ms; infinite while none has. */
  firstEndMs(): number;
}

const SCRIPT = `
const { connect } = require("node:net");
const [host, port, count] = process.argv.slice(1);
const asked = "GET / HTTP/1.1\\r\\nHost: " + host + "\\r\\n\\r\\n";
for (let id = 0; id < Number(count); id++) {
  const socket = connect({ host, port });
  const timer = setInterval(() => socket.write(asked), 200);
  socket.write(asked);
  socket.on("error", () => undefined);
  socket.on("data", (data) => {
    const member = /member[0-9]+/.exec(data);
    if (member !== null) console.log(id + " " + member[0]);
  });
  socket.on("close", () => {
    clearInterval(timer);
    console.log(id + " ended");
  });
}
`;

/** Opens them; resolves when each was answered. */
export async function stay(
  client: Host,
  at: { readonly address: string; readonly port: number; readonly count: number },
): Promise<Stayers> {
  const args = ["-e", SCRIPT, at.address, String(at.port), String(at.count)];
  const members = new Map<string, string>();
  const ended = new Map<string, number>();
  const program: RunningProgram = await client.start(process.execPath, args, {
    onLine: (line) => {
      const [id = "", word = ""] = line.split(" ");
      if (word === "ended") ended.set(id, monotonicMs());
      else members.set(id, word);
    },
  });
  for (let id = 0; id < at.count; id += 1) {
    await program.waitForLine(new RegExp(`^${id} member`), 10_000);
  }
  const of = (isEnded: boolean): readonly string[] => {
    return [...members]
      .filter(([id]) => ended.has(id) === isEnded)
      .map(([, member]) => member)
      .toSorted();
  };
  return {
    open: () => of(false),
    ended: () => of(true),
    firstEndMs: () => Math.min(...ended.values()),
    [Symbol.asyncDispose]: async () => program[Symbol.asyncDispose](),
  };
}
