// Pools of a settings file as an operator gets them wrong: each mistake is told with the file, the
// pool and the value, all of them at once, and with what helps there.

import assert from "node:assert/strict";
import { mkdtempDisposableSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readSettings } from "@fairlead/runtime";
import { CONTROLLER_EXTRA_KEYS, CONTROLLER_SETTINGS, checkControllerFlags } from "../settings.ts";

function errorsOf(file: string, ...argv: readonly string[]): readonly string[] {
  using folder = mkdtempDisposableSync(join(tmpdir(), "fairlead-settings-"));
  const path = join(folder.path, "settings.yaml");
  writeFileSync(path, file);
  const read = readSettings({
    table: CONTROLLER_SETTINGS,
    argv: ["--insecure", "--source=/tmp", `--config=${path}`, ...argv],
    env: {},
    extraKeys: CONTROLLER_EXTRA_KEYS,
    check: (given) => checkControllerFlags(given, {}),
  });
  assert.equal(read.kind, "usage");
  return read.errors.map((error) => error.replace(path, "FILE"));
}

const TAIL = "; mend the pool in the file; docs/how-to/pools.md has all fields [BadValue]";

test("a field of a wrong form hides no wrong range of the same pool", () => {
  const file = `pools:
  - name: good
    addresses: [192.0.2.1]
  - name: lan
    mode: vrpp
    quarantine: 60
    addresses: [192.0.2.20-192.0.2.10, 192.0.2.1/24]
`;
  const place = 'pools[1] "lan" in "FILE"';
  assert.deepEqual(errorsOf(file), [
    `${place}: mode: "vrpp": expected one of "vrrp"|"host"|"link"${TAIL}`,
    `${place}: quarantine: 60: expected string, received number${TAIL}`,
    `${place}: "192.0.2.20-192.0.2.10": the first address is above the last${TAIL}`,
    `${place}: "192.0.2.1/24": host bits are set; the network is 192.0.2.0/24${TAIL}`,
  ]);
});

test("addresses of a wrong form are not missing as well, and a maximum is told", () => {
  const file = `pools:
  - {name: a, addresses: 192.0.2.1, quarantine: 99999d}
  - {addresses: [192.0.2.1]}
  - {name: b, mode: vrrp}
`;
  const duration = "a number with a unit, such as 500ms, 10s, 1m30s, 2h or 7d, at most 3650d";
  assert.deepEqual(errorsOf(file), [
    `pools[0] "a" in "FILE": addresses: "192.0.2.1": expected array, received string${TAIL}`,
    `pools[0] "a" in "FILE": quarantine: "99999d": expected ${duration}${TAIL}`,
    `pools[1] in "FILE": name: expected string, received undefined${TAIL}`,
    `pools[2] "b" in "FILE": addresses is missing${TAIL}`,
  ]);
});

test("the remedy of a flag stays a flag's", () => {
  const [first, second] = errorsOf("pools: {}", "--pool=lan");
  assert.match(first ?? "", /^--pool "lan": .*; write NAME=RANGE\[,RANGE\] with CIDRs/);
  assert.equal(second, `pools in "FILE": expected a list of pools${TAIL}`);
});
