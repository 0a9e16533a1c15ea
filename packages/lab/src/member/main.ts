// A member server of the lab: says who it is on every port, over HTTP and over UDP. Given on the
// command line: its name, its TCP ports, its UDP ports (comma-separated; "-" for none). It says
// "ready" when all ports listen, and ends with its standard input or its host.

import { createSocket } from "node:dgram";
import { createServer } from "node:http";

const [name = "member", tcp = "-", udp = "-"] = process.argv.slice(2);

await Promise.all([...ports(tcp).map(serveHttp), ...ports(udp).map(echoDatagrams)]);
process.stdout.write("ready\n");

function ports(text: string): readonly number[] {
  return text === "-" ? [] : text.split(",").map(Number);
}

/** What a client is told: the member's name, the port it came in by, and its own address. */
function answer(port: number, client: string | undefined): string {
  return `${name} ${port} ${(client ?? "").replace(/^::ffff:/, "")}`;
}

function serveHttp(port: number): Promise<void> {
  const server = createServer((request, response) => {
    response.setHeader("content-type", "text/plain");
    response.end(`${answer(port, request.socket.remoteAddress)}\n`);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host: "::", ipv6Only: false, backlog: 1024 }, resolve);
  });
}

function echoDatagrams(port: number): Promise<void> {
  const socket = createSocket({ type: "udp6", ipv6Only: false });
  socket.on("message", (message, from) => {
    socket.send(
      `${answer(port, from.address)} ${message.toString("utf8")}`,
      from.port,
      from.address,
    );
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ port, address: "::" }, resolve);
  });
}
