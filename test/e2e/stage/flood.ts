// A flood of datagrams from made-up senders: each has an address and a port of its own, and hears
// no answer. Given the client's host and where it sends to. It goes on until it is disposed.

import type { Host, RunningProgram } from "@fairlead/lab";

/** A flood that is under way. */
export interface Flood extends AsyncDisposable {
  /** Resolves when it has sent so many datagrams, each as another sender. */
  sent(count: number): Promise<void>;
}

/** Addresses that nobody has; the client sends from all of them, and the way back ends nowhere. */
const MADE_UP = "10.88.0.0/16";
const SENT_MS_MAX = 30_000;

const SCRIPT = `
const { createSocket } = require("node:dgram");
const [host, port] = process.argv.slice(1);
let sent = 0;
for (let at = 0; at < 20; at++) next();
function next() {
  const sender = sent++;
  if (sender % 1000 === 0) console.log("sent " + sender);
  const socket = createSocket("udp4");
  socket.bind(0, "10.88." + (sender >> 8 & 255) + "." + (sender & 255), () => {
    socket.send("flood", Number(port), host, () => socket.close(next));
  });
}
`;

/** Starts it; resolves when the first was sent. */
export async function flood(
  client: Host,
  { address, port }: { readonly address: string; readonly port: number },
): Promise<Flood> {
  await client.output("ip", ["route", "add", "local", MADE_UP, "dev", "lo"]);
  const args = ["-e", SCRIPT, address, String(port)];
  const program: RunningProgram = await client.start(process.execPath, args);
  const sent = async (count: number): Promise<void> => {
    const whole = Math.ceil(count / 1000) * 1000;
    await program.waitForLine(new RegExp(`^sent ${whole}$`), SENT_MS_MAX);
  };
  await sent(0);
  return {
    sent,
    [Symbol.asyncDispose]: async () => {
      await program.stop("SIGKILL");
    },
  };
}
