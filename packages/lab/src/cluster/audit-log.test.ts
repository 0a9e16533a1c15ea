// What is read from lines of an audit log.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isWrite, parseAuditLog } from "./audit-log.ts";

const RECEIVED = "2026-11-27T19:53:24.351331Z";
const COMMON = {
  requestReceivedTimestamp: RECEIVED,
  user: { username: "fairlead" },
  sourceIPs: ["10.0.0.5"],
};

const cases = [
  {
    name: "a write of a status",
    line: {
      ...COMMON,
      verb: "patch",
      requestURI: "/api/v1/namespaces/default/services/web/status?fieldManager=fairlead",
      objectRef: {
        resource: "services",
        subresource: "status",
        namespace: "default",
        name: "web",
        apiVersion: "v1",
      },
      responseStatus: { code: 200 },
    },
    entry: {
      verb: "patch",
      resource: "services/status",
      group: "",
      namespace: "default",
      name: "web",
      uri: "/api/v1/namespaces/default/services/web/status?fieldManager=fairlead",
      status: 200,
    },
    writes: true,
  },
  {
    name: "a list over all namespaces",
    line: {
      ...COMMON,
      verb: "list",
      requestURI: "/apis/discovery.k8s.io/v1/endpointslices",
      objectRef: { resource: "endpointslices", apiGroup: "discovery.k8s.io" },
      responseStatus: { code: 403 },
    },
    entry: {
      verb: "list",
      resource: "endpointslices",
      group: "discovery.k8s.io",
      namespace: "",
      name: "",
      uri: "/apis/discovery.k8s.io/v1/endpointslices",
      status: 403,
    },
    writes: false,
  },
  {
    name: "a path that is no resource",
    line: { ...COMMON, verb: "get", requestURI: "/readyz", responseStatus: { code: 200 } },
    entry: {
      verb: "get",
      resource: "",
      group: "",
      namespace: "",
      name: "",
      uri: "/readyz",
      status: 200,
    },
    writes: false,
  },
];
for (const c of cases) {
  test(`audit log: ${c.name}`, () => {
    const [entry, ...more] = parseAuditLog(`${JSON.stringify(c.line)}\n`);
    const receivedMs = Date.parse(RECEIVED);
    assert.deepEqual(
      [entry, more],
      [{ ...c.entry, user: "fairlead", from: "10.0.0.5", receivedMs }, []],
    );
    assert.equal(entry === undefined ? undefined : isWrite(entry), c.writes);
  });
}

test("audit log: a line that is being written is left out", () => {
  const whole = JSON.stringify({ ...COMMON, verb: "get", requestURI: "/a" });
  assert.deepEqual(
    parseAuditLog(`${whole}\n{"kind":"Ev`).map(({ uri }) => uri),
    ["/a"],
  );
  assert.deepEqual(parseAuditLog(""), []);
});
