// Passes connections to a unix socket on to a TCP port, on the host that it runs on. It takes the
// path of the socket, an address and a port, and says "ready" when it listens.

import { connect, createServer, type Socket } from "node:net";

const [path = "", host = "", port = ""] = process.argv.slice(2);
const server = createServer({ allowHalfOpen: true }, (inner) => {
  const outer = connect({ host, port: Number(port), allowHalfOpen: true });
  join(inner, outer);
  join(outer, inner);
});
server.listen(path, () => process.stdout.write("ready\n"));

/** What comes from one goes to the other, and so does its end: a good one and a bad one. */
function join(from: Socket, to: Socket): void {
  from.setNoDelay(true);
  from.pipe(to);
  from.on("error", () => to.destroy());
  from.on("close", () => to.destroySoon());
}
