// Sessions over UDP as the kernel shows them: of connected sockets alone, by what they speak from.

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";

import { address } from "@fairlead/testkit";

import { udpSessionsByAddress } from "./udp-sessions.ts";

test("connected sockets are counted by their address, and waiting ones are not", async () => {
  const own = "127.53.17.9";
  const sockets = [1, 2, 3].map(() => createSocket("udp4"));
  try {
    for (const socket of sockets) {
      socket.bind(0, own);
      await once(socket, "listening");
    }
    for (const socket of sockets.slice(1)) {
      socket.connect(9, "127.0.0.1");
      await once(socket, "connect");
    }
    assert.equal((await udpSessionsByAddress()).get(address(own)), 2);
  } finally {
    for (const socket of sockets) socket.close();
  }
});
