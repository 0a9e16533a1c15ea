// A client that has not said all of its question and waits: it hears of an end of its connection
// only from who ends it. Given the host that it runs on.

import type { Host, RunningProgram } from "@fairlead/lab";

/** What a client has to say is not over: its member waits for the rest, and it for the member. */
const CLIENT = `
const socket = require("node:net").connect({ host: process.argv[1], port: 80 });
socket.on("connect", () => socket.write("GET / HTTP/1.0\\r\\n", () => console.log("waits")));
socket.on("error", (error) => console.log(error.code));
socket.on("end", () => console.log("ended"));
`;
const CONNECT_MS_MAX = 5_000;

/** Connects to port 80 of the address and waits; it writes `ECONNRESET` when it is reset. */
export async function startWaitingClient(host: Host, address: string): Promise<RunningProgram> {
  const client = await host.start(process.execPath, ["-e", CLIENT, address], {});
  await client.waitForLine(/^waits$/, CONNECT_MS_MAX);
  return client;
}
