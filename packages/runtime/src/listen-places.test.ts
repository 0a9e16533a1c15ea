// Two flags of one program on one port: told before anything listens, with both names.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { isEdgeError } from "./errors.ts";
import { closeHttp, listenHttp, namingFlag } from "./http-listen.ts";
import { type HostPort, parseHostPort } from "./host-port.ts";
import { checkListenPlaces } from "./listen-places.ts";
import { formatComplaint } from "./setting-complaint.ts";

const at = (text: string): HostPort => parseHostPort(text) ?? assert.fail(text);
const cases = [
  ["127.0.0.1:7705", "127.0.0.1:7705", "both are 127.0.0.1:7705"],
  ["0.0.0.0:7705", "127.0.0.1:7705", "0.0.0.0:7705 and 127.0.0.1:7705 are one port"],
  ["localhost:7705", "127.0.0.1:7705", "localhost:7705 and 127.0.0.1:7705 are one port"],
  ["192.0.2.1:7705", "[::]:7705", "192.0.2.1:7705 and [::]:7705 are one port"],
  [":7705", "127.0.0.1:7705", ":7705 and 127.0.0.1:7705 are one port"],
  ["[2001:db8::1]:7705", "7705", "[2001:db8::1]:7705 and :7705 are one port"],
  ["lb.example:7705", "lb.example:7705", "both are lb.example:7705"],
  ["127.0.0.1:7705", "127.0.0.1:7706", undefined],
  ["127.0.0.1:7705", "127.0.0.2:7705", undefined],
  ["0.0.0.0:7705", "[::1]:7705", undefined],
  ["127.0.0.1:0", "127.0.0.1:0", undefined],
] as const;

for (const [first, second, why] of cases) {
  test(`listen places: ${first} and ${second}: ${why ?? "both can be"}`, () => {
    const places = { listenMetrics: at(first), listenRest: undefined, listenAdmin: at(second) };
    const todo = "give one of them another port [ConflictingSettings]";
    assert.deepEqual(
      checkListenPlaces(places).map(formatComplaint),
      why === undefined ? [] : [`--listen-metrics and --listen-admin: ${why}; ${todo}`],
    );
  });
}

for (const host of ["127.0.0.1", "0.0.0.0", "::1", "::"]) {
  test(`a taken port of ${host} is told with who holds it, and its flag, once`, async () => {
    const [server, late] = [createServer(), createServer()];
    const place = await listenHttp(server, { host, port: 0 }, () => undefined);
    const shown = host.includes(":") ? `[${host}]:${place.port}` : `${host}:${place.port}`;
    await assert.rejects(
      namingFlag({ flag: "--listen-metrics", at: place }, () =>
        listenHttp(late, place, () => undefined),
      ),
      (error) => {
        assert.ok(isEdgeError(error, "PORT_TAKEN"));
        const [start, end] = error.message.split(/(?<=: )\S+ (?=\(pid)/);
        assert.equal(start, `cannot listen on ${shown} of --listen-metrics: `);
        assert.equal(end, `(pid ${process.pid}) holds the port`);
        return true;
      },
    );
    await closeHttp(server);
  });
}
