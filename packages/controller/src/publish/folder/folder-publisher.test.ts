// What stands in `.status` beside the manifests, and what is left alone there.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import {
  type Claim,
  type Finding,
  type Verdict,
  parseAddress,
  parseAgentName,
  present,
} from "@fairlead/model";
import { isEdgeError } from "@fairlead/runtime";

import { readPublished, statusFileName } from "../../folder/own-status.ts";
import type { Publication } from "../../ports.ts";
import { oursOf, sampleService } from "../../sources/sample-objects.ts";
import { createFolderPublisher } from "./folder-publisher.ts";

const ADDRESS = present(parseAddress("192.0.2.10"), "an address");
const HOLDER = present(parseAgentName("lb-1"), "an agent");

function ready(claim: Claim): Verdict {
  return {
    claim: claim.id,
    uid: claim.uid,
    generation: claim.generation,
    state: "ready",
    addresses: [{ address: ADDRESS, published: true, holder: HOLDER }],
    conditions: [{ type: "Serving", status: "True", reason: "Proved", message: "lb-1 proves it" }],
    remarks: [],
  };
}

function refused(claim: Claim): Verdict {
  const main = {
    reason: "AddressTaken",
    detail: 'held by "default/web": \u0022yes\u0022',
  } as const;
  return { ...ready(claim), state: "refused", main, addresses: [], conditions: [] };
}

function publication(
  entries: readonly { readonly name: string; readonly verdict: (claim: Claim) => Verdict }[],
  findings: readonly Finding[] = [],
): Publication {
  const claims = entries.map(({ name }) => oursOf([sampleService({}, { name })]));
  return {
    claims: new Map(claims.map((claim) => [claim.id, claim])),
    verdicts: new Map(
      claims.map((claim, index) => [claim.id, present(entries[index], "an entry").verdict(claim)]),
    ),
    leases: new Map(),
    intents: [],
    agents: new Map(),
    moves: new Map(),
    findings,
  };
}

interface Stage extends AsyncDisposable {
  readonly folder: string;
  readonly identity: string;
  read(name: string): Promise<string>;
  names(): Promise<readonly string[]>;
}

async function openStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-status-"));
  return {
    folder,
    identity: "lb-1",
    read: (name) => readFile(join(folder, ".status", name), "utf8"),
    names: async () => (await readdir(join(folder, ".status"))).toSorted(),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

const WEB = { name: "web", verdict: ready };

test("a served Service reads like its status in a cluster", async () => {
  await using stage = await openStage();
  await createFolderPublisher(stage).publish(publication([WEB]));
  assert.equal(
    await stage.read("default.web.yaml"),
    `# Written by Fairlead; what you change here is overwritten.
apiVersion: v1
kind: Service
metadata:
  namespace: default
  name: web
status:
  loadBalancer:
    ingress:
      - ip: 192.0.2.10
        ipMode: Proxy
        ports:
          - port: 80
            protocol: TCP
  conditions:
    - type: Serving
      status: "True"
      reason: Proved
      message: lb-1 proves it
fairlead:
  state: ready
  addresses:
    - address: 192.0.2.10
      published: true
      holder: lb-1
  remarks: []
  origin: web.yaml
`,
  );
  assert.match(await stage.read("findings.yaml"), /\nfindings: \[\]\n$/u);
});

test("a refused Service says what, why, what to do, and a code", async () => {
  await using stage = await openStage();
  const finding: Finding = {
    subject: "file",
    name: String.raw`we\nb.yaml`,
    reason: "ManifestTooLarge",
    detail: "it has more than 1048576 bytes",
  };
  const news = publication([{ name: "web", verdict: refused }], [finding]);
  await createFolderPublisher(stage).publish(news);
  const text = await stage.read("default.web.yaml");
  assert.match(text, / {2}loadBalancer:\n {4}ingress: \[\]\n/u);
  assert.match(
    text,
    / {2}state: refused\n {2}reason: AddressTaken\n {2}code: FL0205\n {2}message: The address asked for is held by another Service\.\n {2}detail: 'held by "default\/web": "yes"'\n {2}remedy: Ask for another one/u,
  );
  assert.match(await stage.read("findings.yaml"), /subject: file\n {4}name: we\\nb\.yaml\n/u);
});

test("what did not change is not written, what is stale is removed, the rest is left alone", async () => {
  await using stage = await openStage();
  const publisher = createFolderPublisher(stage);
  await publisher.publish(publication([WEB, { name: "dns", verdict: ready }]));
  const path = join(stage.folder, ".status", "default.web.yaml");
  const before = (await stat(path)).ino;
  await writeFile(join(stage.folder, ".status", "notes.yaml"), "mine: true\n");
  await writeFile(join(stage.folder, ".status", "default.old.txt"), "mine too\n");
  await publisher.publish(publication([WEB]));
  const left = ["default.old.txt", "default.web.yaml", "findings.yaml", "notes.yaml"];
  assert.deepEqual(await stage.names(), left);
  assert.equal((await stat(path)).ino, before);

  // A controller that starts anew knows its own files by their first line.
  await createFolderPublisher(stage).publish(publication([]));
  assert.deepEqual(await stage.names(), ["default.old.txt", "findings.yaml", "notes.yaml"]);
  assert.equal(await stage.read("notes.yaml"), "mine: true\n");
});

test("a status folder or file that was removed is written again", async () => {
  await using stage = await openStage();
  const publisher = createFolderPublisher(stage);
  await publisher.publish(publication([WEB]));
  for (const gone of [".status", ".status/default.web.yaml"]) {
    await rm(join(stage.folder, gone), { recursive: true });
    await publisher.publish(publication([WEB]));
    assert.deepEqual(await stage.names(), ["default.web.yaml", "findings.yaml"]);
  }
});

test("files of who lost the lead looked as good as new, and say that they are old", async () => {
  await using stage = await openStage();
  const files = ["default.web.yaml", "findings.yaml"];
  const before = createFolderPublisher(stage);
  await before.publish(publication([WEB]));
  // One that begins anew may find that another one leads by now.
  for (const publisher of [before, createFolderPublisher(stage)]) {
    publisher.pause?.();
    await publisher[Symbol.asyncDispose]();
    assert.deepEqual(await stage.names(), [...files, "standby.yaml"]);
    assert.match(await stage.read("standby.yaml"), /^# Written by Fairlead.*controller: lb-1\n/su);
    await publisher.publish(publication([WEB]));
    assert.deepEqual(await stage.names(), files);
  }
});

test("two controllers beside one folder write over each other's files as the lead goes", async () => {
  await using stage = await openStage();
  const [one, other] = [createFolderPublisher(stage), createFolderPublisher(stage)];
  const states = [ready, refused, ready].entries();
  for (const [turn, verdict] of states) {
    const [leader, standby] = turn % 2 === 0 ? [one, other] : [other, one];
    standby.pause?.();
    await standby[Symbol.asyncDispose]();
    await leader.publish(publication([{ name: "web", verdict }]));
    assert.match(await stage.read("default.web.yaml"), new RegExp(`state: ${verdict.name}\n`, "u"));
    assert.deepEqual(await stage.names(), ["default.web.yaml", "findings.yaml"]);
  }
  // One that starts while another one leads.
  const late = createFolderPublisher(stage);
  late.pause?.();
  await late[Symbol.asyncDispose]();
  await one.publish(publication([WEB]));
  assert.deepEqual(await stage.names(), ["default.web.yaml", "findings.yaml"]);
});

test("a link in the way is replaced and never followed", async () => {
  await using stage = await openStage();
  const victim = join(stage.folder, "victim");
  await writeFile(victim, "precious\n");
  await mkdir(join(stage.folder, ".status"));
  for (const name of ["default.web.yaml", ".default.web.yaml.tmp"]) {
    await symlink(victim, join(stage.folder, ".status", name));
  }
  await createFolderPublisher(stage).publish(publication([WEB]));
  assert.match(await stage.read("default.web.yaml"), /state: ready/u);
  assert.equal(await readFile(victim, "utf8"), "precious\n");
});

test("one file that cannot be written does not stop the others", async () => {
  await using stage = await openStage();
  await mkdir(join(stage.folder, ".status", "default.web.yaml", "x"), { recursive: true });
  const publisher = createFolderPublisher(stage);
  const news = publication([WEB, { name: "dns", verdict: ready }]);
  await assert.rejects(publisher.publish(news), (error) => isEdgeError(error, "IO"));
  assert.match(await stage.read("default.dns.yaml"), /state: ready/u);
  await rm(join(stage.folder, ".status", "default.web.yaml"), { recursive: true });
  await publisher.publish(news);
  assert.match(await stage.read("default.web.yaml"), /state: ready/u);
});

test("a folder that cannot be written is told, and written as soon as it can be", async () => {
  await using stage = await openStage();
  const path = join(stage.folder, ".status");
  await writeFile(path, "in the way");
  const publisher = createFolderPublisher(stage);
  await assert.rejects(publisher.publish(publication([WEB])), (error) => isEdgeError(error));
  await rm(path);
  await publisher.publish(publication([WEB]));
  assert.deepEqual(await stage.names(), ["default.web.yaml", "findings.yaml"]);
});

test("names stay file names, however long", () => {
  const name = `${"x".repeat(63)}.`.repeat(3) + "y".repeat(60);
  const one = statusFileName({ kind: "service", namespace: "n".repeat(63), name });
  const other = statusFileName({ kind: "service", namespace: "n".repeat(63), name: `${name}y` });
  assert.ok(one.length <= 205);
  assert.notEqual(one, other);
});

test("what is written can be read back after the store was lost", async () => {
  await using stage = await openStage();
  const publisher = createFolderPublisher(stage);
  await publisher.publish(
    publication([
      { name: "web", verdict: ready },
      { name: "dns", verdict: refused },
    ]),
  );
  const texts = await Promise.all((await stage.names()).map(async (name) => stage.read(name)));
  assert.deepEqual([...readPublished(texts)], [["default/web", [ADDRESS]]]);
});
