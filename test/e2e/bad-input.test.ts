// Manifests that are wrong or hostile, one after the other beside a good one: each is answered with
// a reason in the list, the status files, the log and `explain`; the good one is not disturbed, and
// nothing of what was written reaches a daemon's file.

import assert from "node:assert/strict";

import { startProbe } from "@fairlead/lab";

import type { ListJson, RemarkJson } from "./stage/asker.ts";
import { type Document, HTTP, manifest, pool, service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { claimOf, MANIFESTS, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";

/** Stands in every bad text that could be copied somewhere. */
const MARK = "EVIL";

interface Case {
  readonly name: string;
  readonly reason: string;
  /** The claim or the finding that carries the reason. */
  readonly subject: string;
  readonly documents?: readonly Document[];
  readonly text?: string;
}

const bad = (name: string, spec: Document, rest: object = {}): readonly Document[] =>
  service({ name, spec, ...rest });

const named = (name: string): Document => ({
  ...service({ name: "x" })[0],
  metadata: { name, namespace: "default" },
});

const CASES: readonly Case[] = [
  {
    name: "no-ports",
    reason: "NoPorts",
    subject: "default/no-ports",
    documents: bad("no-ports", { ports: [] }),
  },
  {
    name: "class",
    reason: "UnknownClass",
    subject: "default/class",
    documents: bad("class", { loadBalancerClass: "fairlead.io/no-such-class" }),
  },
  {
    name: "no-address",
    reason: "BadAddress",
    subject: "default/no-address",
    documents: bad("no-address", { loadBalancerIP: `10.77.0.1; ${MARK} {` }),
  },
  {
    name: "foreign",
    reason: "AddressOutsidePools",
    subject: "default/foreign",
    documents: bad("foreign", { loadBalancerIP: "198.51.100.7" }),
  },
  {
    name: "pool-bad",
    reason: "BadPoolRange",
    subject: "pool-bad",
    documents: [pool("pool-bad", [`10.77.0.300 ${MARK}`])],
  },
  {
    name: "pool-reversed",
    reason: "BadPoolRange",
    subject: "pool-reversed",
    documents: [pool("pool-reversed", ["10.77.0.99-10.77.0.90"])],
  },
  {
    name: "pool-overlap",
    reason: "PoolOverlap",
    subject: "pool-overlap",
    documents: [pool("pool-overlap", ["10.77.0.140-10.77.0.160"])],
  },
  {
    name: "unparsable",
    reason: "ManifestUnreadable",
    subject: "unparsable.yaml",
    text: `kind: Service\n  metadata: [${MARK}\n`,
  },
  {
    name: "bomb",
    reason: "ManifestTooComplex",
    subject: "bomb.yaml",
    text: bomb(),
  },
  {
    name: "large",
    reason: "ManifestTooLarge",
    subject: "large.yaml",
    text: `# ${MARK.repeat(2_600_000)}\n`,
  },
  {
    name: "zz-duplicate",
    reason: "DuplicateObject",
    subject: "Service default/good",
    documents: service({ name: "good", ports: [{ ...HTTP, port: 99 }] }),
  },
  {
    name: "loopback",
    reason: "BadMember",
    subject: "default/loopback",
    documents: service({ name: "loopback", members: ["127.0.0.1", "10.77.0.21"] }),
  },
  {
    name: "link-local",
    reason: "BadMember",
    subject: "default/link-local",
    documents: service({ name: "link-local", members: ["169.254.1.1", "10.77.0.21"] }),
  },
  {
    name: "on-vip",
    reason: "BadMember",
    subject: "default/on-vip",
    documents: service({ name: "on-vip", members: ["10.77.0.100", "10.77.0.21"] }),
  },
  ...["a\nb", 'a"b', "a;b", "a{b", "a\0b"].map((name, index): Case => {
    return {
      name: `name-${index}`,
      reason: "BadName",
      subject: `name-${index}.yaml`,
      documents: [named(`${name}${MARK}`)],
    };
  }),
  {
    name: "port-name",
    reason: "BadName",
    subject: "default/port-name",
    documents: service({ name: "port-name", ports: [{ ...HTTP, name: `x; ${MARK} {\n}` }] }),
  },
];

story("bad manifests are answered with reasons and disturb nobody", {}, async (stage) => {
  await stage.write("good.yaml", service({ name: "good" }));
  const good = await stage.served("default/good");
  const durationMs = 100_000;
  await using probe = await startProbe(stage.client, {
    address: good.address,
    port: 80,
    durationMs,
  });
  await probe.waitForAnswer(5_000);

  for (const { name, documents, text } of CASES) {
    const content = text ?? manifest(documents ?? []);
    await stage.control.writeFile(`${MANIFESTS}/${name}.yaml`, content);
  }
  const wrong: string[] = [];
  for (const one of CASES) {
    const said = await stage
      .until(`${one.name} gives ${one.reason}`, (list) => saidOf(list, one), 10_000)
      .catch((error: unknown) => void wrong.push(String(error)));
    if (said !== undefined) wrong.push(...(await missingOf(stage, one, said)));
  }
  assert.deepEqual(wrong, []);

  assert.deepEqual(await stage.served("default/good"), good, "the good one is as it was");
  await stage.inSync();
  const chain = await stage.asker.explain("default/good");
  assert.deepEqual(
    chain.steps.filter(({ state }) => state === "LINK_STATE_BROKEN"),
    [],
  );
  for (const host of stage.balancers) {
    const files = "cat /run/fairlead/keepalived/*.conf /run/fairlead/nginx/*.conf";
    const text = await host.output("sh", ["-c", `${files} /run/host/state/plan.json`]);
    assert.ok(!text.includes(MARK), `a word of a manifest is on ${host.name}`);
  }
  const seen = await probe.stop();
  noneFailed(seen);
  const lines = stage.controller.lines();
  assert.deepEqual(
    lines.filter((line) => /\p{Cc}/u.test(line)),
    [],
  );
  assert.deepEqual(
    lines.filter((line) => !/^\d{4}-\d\d-\d\dT/.test(line)),
    [],
    "a torn log line",
  );
});

/** Four levels of ten aliases each: ten thousand values of a few hundred bytes. */
function bomb(): string {
  const level = (name: string, below: string): string =>
    `${name}: &${name} [${Array.from({ length: 10 }, () => `*${below}`).join(", ")}]`;
  return ["a: &a [x, x, x]", level("b", "a"), level("c", "b"), level("d", "c"), level("e", "d")]
    .join("\n")
    .concat("\n");
}

/** The remark with the reason, once the controller says it where it should. */
function saidOf(list: ListJson, { subject, reason }: Case): RemarkJson | undefined {
  const claim = claimOf(list, subject);
  const ofClaim = claim === undefined ? [] : [claim.main, ...claim.remarks];
  const ofFindings = list.findings
    .filter(({ name }) => name === subject || name.includes(subject))
    .map(({ remark }) => remark);
  return [...ofClaim, ...ofFindings].find((remark) => remark?.reason === reason);
}

/** Where it is not said although it should be. */
async function missingOf(stage: Stage, one: Case, said: RemarkJson): Promise<readonly string[]> {
  const { subject, reason } = one;
  const missing: string[] = [];
  const [, namespace, name] = /^([a-z]+)\/([a-z-]+)$/.exec(subject) ?? [];
  const file = name === undefined ? "findings" : `${namespace}.${name}`;
  const status = await stage.control.readFile(`${MANIFESTS}/.status/${file}.yaml`).catch(String);
  if (!status.includes(`reason: ${reason}`)) missing.push(`${one.name}: not in .status/${file}`);
  const isLogged = stage.controller.lines().some((line) => line.includes(`code=${said.code}`));
  if (!isLogged) missing.push(`${one.name}: ${said.code} is not in the log`);
  const chain = await stage.fairlead("explain", subject);
  if (!chain.stdout.includes(said.code)) {
    missing.push(`${one.name}: explain does not say ${said.code}: ${chain.stdout}${chain.stderr}`);
  }
  return missing;
}
