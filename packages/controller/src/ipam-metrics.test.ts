// What a scrape says of the IPAM service while clients come and go.

import assert from "node:assert/strict";
import { test } from "node:test";

import { parseRange } from "@fairlead/model";
import { createFakeClock, createLogger, createMetrics } from "@fairlead/runtime";
import { createMemoryIpamMedium, createMemoryIpamStore } from "@fairlead/testkit";

import { createClass } from "./ipam/class-commands.ts";
import { randomUuid } from "./ipam/ipam-model.ts";
import { createIpamService } from "./ipam/ipam-service.ts";
import type { Command } from "./ipam/ipam-state.ts";
import { release } from "./ipam/keep.ts";
import { createNetblock } from "./ipam/netblock-commands.ts";
import { register } from "./ipam/register.ts";
import { addIpamMetrics, addRefusalMetric } from "./ipam-metrics.ts";

test("registrations, addresses by their state, and refusals by reason", async () => {
  using metrics = createMetrics({ program: "test", version: "0" });
  await using service = await createIpamService({
    store: createMemoryIpamStore({ medium: createMemoryIpamMedium() }),
    clock: createFakeClock(),
    log: createLogger({ level: "silent", format: "json" }),
    leaseMs: 3_600_000,
    graceMs: 3_600_000,
    onRefused: addRefusalMetric(metrics),
  });
  addIpamMetrics(metrics, () => service.view());
  const lines = async (word: string): Promise<readonly string[]> => {
    const page = await metrics.registry.metrics();
    return page.split("\n").filter((line) => line.startsWith(`fairlead_ipam_${word}{`));
  };
  const run = (command: Command<unknown>): Promise<unknown> => service.run(command);
  await run(createClass({ uuid: randomUuid(), name: "lab" }));
  await run(createClass({ uuid: randomUuid(), name: "bare" }));
  for (const text of ["192.0.2.0/30", "192.0.2.8/31", "2001:db8::/126"]) {
    const range = parseRange(text);
    assert.ok(range.kind === "ok");
    await run(createNetblock({ uuid: randomUuid(), class: "lab", range: range.value }));
  }
  const [a, b] = [randomUuid(), randomUuid()];
  await run(register({ class: "lab", uuid: a }));
  await run(register({ class: "lab", uuid: b }));
  await run(register({ class: "lab", uuid: randomUuid(), family: "ipv6" }));
  await run(release(b));
  await run(register({ class: "bare", uuid: b }));
  await run(register({ class: "bare", uuid: b }));
  await run(release(b));

  assert.deepEqual(await lines("registrations"), [
    'fairlead_ipam_registrations{class="lab"} 2',
    'fairlead_ipam_registrations{class="bare"} 0',
  ]);
  assert.deepEqual(await lines("addresses"), [
    'fairlead_ipam_addresses{class="lab",family="ipv4",state="held"} 1',
    'fairlead_ipam_addresses{class="lab",family="ipv4",state="quarantined"} 1',
    'fairlead_ipam_addresses{class="lab",family="ipv4",state="free"} 4',
    'fairlead_ipam_addresses{class="lab",family="ipv6",state="held"} 1',
    'fairlead_ipam_addresses{class="lab",family="ipv6",state="quarantined"} 0',
    'fairlead_ipam_addresses{class="lab",family="ipv6",state="free"} 3',
  ]);
  const refusals = await lines("refusals_total");
  assert.deepEqual(
    refusals.filter((line) => !line.endsWith(" 0")),
    [
      'fairlead_ipam_refusals_total{reason="UnknownRegistration"} 1',
      'fairlead_ipam_refusals_total{reason="NoNetblock"} 2',
    ],
  );
  assert.ok(refusals.includes('fairlead_ipam_refusals_total{reason="ClassExhausted"} 0'));
});
