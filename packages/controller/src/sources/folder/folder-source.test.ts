// Stories of a folder of manifests on a real file system: what people and tools do with files, and
// what the controller gets to know of it.

import assert from "node:assert/strict";
import { cp, mkdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import type { Fact } from "../../facts.ts";
import { sampleSlice } from "../sample-objects.ts";
import { DEADLINE, kindsIn, openStory, service } from "./folder-story.ts";

test("files are followed: created, changed, renamed, deleted", DEADLINE, async () => {
  await using story = await openStory();
  await story.write("web.yaml", service("web"));
  await story.write(".hidden.yaml", service("hidden"));
  await story.write("notes.txt", "not a manifest");
  await story.start();
  assert.deepEqual(story.claims(), ["web"]);

  await mkdir(join(story.folder, "team"));
  await story.write("team/dns.yml", service("dns"), service("ntp"));
  await story.until(() => story.claims().length === 3);

  await story.write("web.yaml", service("web", { loadBalancerIP: "192.0.2.7" }));
  await story.until(({ facts }) =>
    facts.some((fact) => fact.kind === "claim-seen" && fact.claim.wishedAddresses.length === 1),
  );

  await story.write("web.yaml", service("web"), sampleSlice());
  await story.until(({ facts }) => {
    const last = facts.findLast((fact) => fact.kind === "claim-seen");
    return last?.claim.listeners[0]?.members.length === 2;
  });

  await rename(join(story.folder, "web.yaml"), join(story.folder, "team", "front.yaml"));
  await story.until(({ facts }) =>
    facts.some((fact) => fact.kind === "claim-seen" && fact.claim.origin === "team/front.yaml"),
  );
  assert(!kindsIn(story).includes("claim-gone"), "a rename is no deletion");

  await story.write("team/dns.yml", service("dns"));
  await story.until(() => !story.claims().includes("ntp"));
  await rm(join(story.folder, "team"), { recursive: true });
  await story.until(() => story.claims().length === 0);
  const gone = story.facts.flatMap((fact) => (fact.kind === "claim-gone" ? [fact.how] : []));
  assert.deepEqual(gone, ["seen-deleted", "seen-deleted", "seen-deleted"]);
  assert.deepEqual(story.reasons(), []);
});

test(
  "a file that breaks keeps its last good objects, and so does a bad object",
  DEADLINE,
  async () => {
    await using story = await openStory();
    await story.write("web.yaml", service("web"));
    await story.write("dns.yaml", service("dns"), service("ntp"));
    await story.start();

    await story.write("web.yaml", "kind: [Service\n");
    await story.until(() => story.reasons().includes("ManifestUnreadable"));
    await story.write("dns.yaml", service("dns", { ports: 5 }), service("ntp"), service("new"));
    await story.until(() => story.claims().includes("new"));
    assert.deepEqual(story.claims(), ["dns", "new", "ntp", "web"]);
    assert.deepEqual(story.findings(), [
      {
        subject: "file",
        name: "web.yaml",
        reason: "ManifestUnreadable",
        detail: "line 2, column 1: the indentation is wrong, or a bracket is not closed",
      },
      {
        subject: "object",
        name: "Service default/dns",
        reason: "BadField",
        detail: 'in "dns.yaml": spec.ports: 5: expected array, received number',
        files: ["dns.yaml"],
      },
    ]);

    await story.write("web.yaml", service("web"));
    await story.write("dns.yaml", service("dns"), service("ntp"), service("new"));
    await story.until(() => story.reasons().length === 0);
    assert(!kindsIn(story).includes("claim-gone"));
  },
);

test("bombs, giants and odd names cost a finding each and disturb nobody", DEADLINE, async () => {
  await using story = await openStory();
  const bomb = ["a: &a [x, x]", ...Array.from("bcdefghij")].map((each, index) => {
    if (index === 0) return each;
    const before = String.fromCharCode(each.charCodeAt(0) - 1);
    return `${each}: &${each} [*${before}, *${before}, *${before}, *${before}]`;
  });
  await story.write("bomb.yaml", bomb.join("\n"));
  await story.write("giant.yaml", "#".repeat(10 * 1024 * 1024));
  await story.write('we\n"b.yaml', service("we\nb; {"), service("web"));
  await story.write("other.yaml", service("web", { loadBalancerIP: "192.0.2.9" }));
  await story.start();
  assert.deepEqual(story.claims(), ["web"]);
  const lines = story.findings().map((each) => `${each.reason} ${each.name}: ${each.detail}`);
  assert.deepEqual(lines, [
    "ManifestTooComplex bomb.yaml: its aliases are followed more than 100 times",
    "ManifestTooLarge giant.yaml: it has more than 1048576 bytes",
    String.raw`BadName Service "default/we\nb; {" in we\n"b.yaml: in "we\n\"b.yaml": metadata.name "we\nb; {" is no name`,
    String.raw`DuplicateObject Service default/web: "other.yaml" declares it already; "we\n\"b.yaml" is left out`,
  ]);
  const claim = story.facts.find((fact) => fact.kind === "claim-seen")?.claim;
  assert.deepEqual(claim?.wishedAddresses, ["192.0.2.9"], "the first by path counts");
});

test("the second of two files takes over when the first one goes", DEADLINE, async () => {
  await using story = await openStory();
  await story.write("a.yaml", service("web", { loadBalancerIP: "192.0.2.7" }));
  await story.write("b.yaml", service("web", { loadBalancerIP: "192.0.2.8" }));
  await story.start();
  assert.deepEqual(story.reasons(), ["DuplicateObject"]);
  await rm(join(story.folder, "a.yaml"));
  await story.until(() => story.reasons().length === 0);
  const wished = story.facts.flatMap((fact) =>
    fact.kind === "claim-seen" ? fact.claim.wishedAddresses : [],
  );
  assert.deepEqual(wished, ["192.0.2.7", "192.0.2.8"]);
  assert(!kindsIn(story).includes("claim-gone"));
});

test("links to files are followed, links to folders are not", DEADLINE, async () => {
  await using story = await openStory();
  await mkdir(join(story.folder, "..data"));
  await story.write("..data/web.yaml", service("web"));
  await symlink("..data/web.yaml", join(story.folder, "web.yaml"));
  await symlink(".", join(story.folder, "loop"));
  await story.start();
  assert.deepEqual(story.claims(), ["web"]);
  assert.deepEqual(story.reasons(), []);
});

test("a ConfigMap mount changes all its files by one link", DEADLINE, async () => {
  await using story = await openStory();
  for (const [version, address] of [
    ["1", "192.0.2.7"],
    ["2", "192.0.2.8"],
  ] as const) {
    await mkdir(join(story.folder, `..${version}`));
    await story.write(`..${version}/web.yaml`, service("web", { loadBalancerIP: address }));
  }
  await symlink("..1", join(story.folder, "..data"));
  await symlink("..data/web.yaml", join(story.folder, "web.yaml"));
  await story.start();
  await symlink("..2", join(story.folder, "..new"));
  await rename(join(story.folder, "..new"), join(story.folder, "..data"));
  await story.until(({ facts }) =>
    facts.some(
      (fact) => fact.kind === "claim-seen" && fact.claim.wishedAddresses[0] === "192.0.2.8",
    ),
  );
  assert(!kindsIn(story).includes("claim-gone"));
});

test("a file that cannot be opened keeps its objects and is told", DEADLINE, async () => {
  await using story = await openStory();
  await story.write("web.yaml", service("web"));
  await story.start();
  await symlink("web.yaml", join(story.folder, ".loop"));
  await rename(join(story.folder, ".loop"), join(story.folder, "web.yaml"));
  await story.until(() => story.reasons().includes("ManifestUnreadable"));
  assert.deepEqual(story.claims(), ["web"]);
  await rm(join(story.folder, "web.yaml"));
  await story.write("web.yaml", service("web"));
  await story.until(() => story.reasons().length === 0);
  assert(!kindsIn(story).includes("claim-gone"));
});

test(
  "a link to nothing is told with where it leads, and disturbs nothing else",
  DEADLINE,
  async () => {
    await using story = await openStory();
    await story.write("web.yaml", service("web"));
    await symlink("../else/where.yaml", join(story.folder, "lost.yaml"));
    await story.start();
    const finding = {
      subject: "file",
      name: "lost.yaml",
      reason: "ManifestUnreadable",
      detail: 'it is a link to "../else/where.yaml", which is not there',
    };
    assert.deepEqual([story.claims(), story.findings()], [["web"], [finding]]);

    await story.write("dns.yaml", service("dns"));
    await story.until(() => story.claims().includes("dns"));
    await rm(join(story.folder, "web.yaml"));
    await story.until(() => !story.claims().includes("web"));
    assert.deepEqual(story.findings(), [finding], "others come and go beside it");

    await mkdir(join(story.folder, "..", "else"));
    await story.write("../else/where.yaml", service("lost"));
    await rename(join(story.folder, "lost.yaml"), join(story.folder, "found.yaml"));
    await story.until(() => story.claims().includes("lost"));
    await rm(join(story.folder, "..", "else"), { recursive: true });
    await story.write("dns.yaml", service("dns", { loadBalancerIP: "192.0.2.7" }));
    await story.until(() => story.reasons().includes("ManifestUnreadable"));
    assert.ok(story.claims().includes("lost"), "what it last said stays in force");
    await rm(join(story.folder, "found.yaml"));
    await story.until(() => !story.claims().includes("lost"));
    await story.until(() => story.reasons().length === 0);
  },
);

test(
  "the examples are served, but for the one that asks for a foreign address",
  DEADLINE,
  async () => {
    await using story = await openStory();
    const examples = new URL("../../../../../examples/", import.meta.url);
    await cp(examples, story.folder, { recursive: true });
    await story.start();
    assert.deepEqual(story.claims(), ["dns", "refused", "web", "wished"]);
    assert.deepEqual(story.reasons(), []);
    for (const fact of story.facts) {
      if (fact.kind !== "claim-seen" || fact.claim.name === "refused") continue;
      assert.deepEqual([...fact.claim.refusals, ...fact.claim.remarks], []);
      for (const { members } of fact.claim.listeners) assert.equal(members.length, 2);
    }
  },
);

/** A status file, as our publisher writes it unless it begins otherwise. */
function status(name: string, ip: string, begin = OURS): string {
  const metadata = `metadata: { namespace: default, name: ${name} }`;
  return `${begin}${metadata}\nstatus:\n  loadBalancer: { ingress: [{ ip: "${ip}" }] }\n`;
}

/** What claims are said to have by their status, in the order of the facts. */
function statusesIn(facts: readonly Fact[]): readonly string[] {
  return facts.flatMap((fact) =>
    fact.kind === "claim-seen" ? [`${fact.claim.name} ${fact.claim.statusAddresses?.join()}`] : [],
  );
}

const OURS = "# Written by Fairlead; what you change here is overwritten.\nkind: Service\n";

test(
  "what our own status files said before the start is known of each claim",
  DEADLINE,
  async () => {
    await using story = await openStory();
    await mkdir(join(story.folder, ".status"));
    await story.write(".status/default.web.yaml", status("web", "192.0.2.7"));
    await story.write(".status/default.dns.yaml", status("dns", "192.0.2.8", "kind: Service\n"));
    await story.write(".status/default.ntp.yaml", `${OURS}{`);
    for (const name of ["web", "dns", "ntp"]) await story.write(`${name}.yaml`, service(name));
    await story.start();
    const said = statusesIn(story.facts);
    assert.deepEqual(said.toSorted(), ["dns undefined", "ntp undefined", "web 192.0.2.7"]);
  },
);

test("what they say by then is said to who asks for it of a claim", DEADLINE, async () => {
  await using story = await openStory();
  for (const name of ["web", "dns"]) await story.write(`${name}.yaml`, service(name));
  await story.start();
  await mkdir(join(story.folder, ".status"));
  await story.write(".status/default.web.yaml", status("web", "192.0.2.7"));
  await story.write(".status/default.dns.yaml", status("dns", "192.0.2.8"));
  const before = story.facts.length;
  await story.sayStatuses("web");
  assert.deepEqual(statusesIn(story.facts.slice(before)), ["web 192.0.2.7"]);
});
