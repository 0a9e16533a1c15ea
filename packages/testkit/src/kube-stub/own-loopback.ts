// An address of the machine's loopback that a server of a test has for itself, so that it can go
// and come back on its port. On 127.0.0.1 that port may be another one's meanwhile: of any
// connection of the machine, or of the very client that tries it, which then talks to itself.

import { randomInt } from "node:crypto";

/** An address that nobody listens on; the lab has those above 127.128.0.0. */
export function ownLoopback(): string {
  return `127.${randomInt(1, 128)}.${randomInt(0, 256)}.${randomInt(1, 255)}`;
}
