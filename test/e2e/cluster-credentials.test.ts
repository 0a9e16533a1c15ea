// A controller whose kubeconfig or whose user is not what it needs: what can never work by itself
// ends it with words and exit code 1; what an administrator can mend while it runs is named in
// `fairlead status`, and it goes on by itself when it is mended.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createLab, type Host, type Lab } from "@fairlead/lab";

import { addApiHost, type ApiHost, CONTROLLER_USER, KUBECONFIG } from "./stage/api-host.ts";
import { createSeat, type Seat } from "./stage/seat.ts";
import { POOL, program, STATE_DIR } from "./stage/stage.ts";

const FOLDER = "/run/host/configs";
const STATUS_MS_MAX = 30_000;
const STATUS_ASKED_MAX = 20;
const AGAIN_MS_MAX = 40_000;

interface BadConfig {
  readonly name: string;
  /** Writes it, and gives the flags that name it. */
  readonly make: (place: { readonly control: Host; readonly api: ApiHost }) => Promise<string[]>;
  readonly says: RegExp;
}

const BAD_CONFIGS: readonly BadConfig[] = [
  {
    name: "missing",
    make: () => Promise.resolve([`--kubeconfig=${FOLDER}/nowhere`]),
    says: /cannot read kubeconfig ".*nowhere".*; name a file that is there \[NOT_FOUND\]/,
  },
  {
    name: "a folder",
    make: async ({ control }) => {
      await control.output("mkdir", ["-p", `${FOLDER}/folder`]);
      return [`--kubeconfig=${FOLDER}/folder`];
    },
    says: /cannot read kubeconfig ".*folder": it is a folder; name a file that the controller's user may read \[UNREADABLE\]/,
  },
  {
    name: "malformed",
    make: async ({ control }) => {
      await control.writeFile(`${FOLDER}/malformed`, "clusters: [\n\tno YAML");
      return [`--kubeconfig=${FOLDER}/malformed`];
    },
    says: /is no YAML: line \d+.*kubectl config view --raw .* \[MALFORMED\]/,
  },
  {
    name: "without the context that is asked for",
    make: () => Promise.resolve([`--kubeconfig=${KUBECONFIG}`, "--context=moon"]),
    says: /has no context "moon"; there are: "lab"; .*--context \[NO_CONTEXT\]/,
  },
  {
    name: "with a client certificate that has expired",
    make: async ({ control, api }) => {
      const [key, request, made] = [`${FOLDER}/old.key`, `${FOLDER}/old.csr`, `${FOLDER}/old.crt`];
      const words = ["req", "-new", "-newkey", "ec", "-pkeyopt", CURVE, "-nodes"];
      const files = ["-keyout", key, "-out", request, "-subj", "/CN=fairlead"];
      await control.output("openssl", [...words, ...files]);
      const sign = ["-req", "-in", request, "-signkey", key, "-days", "-1", "-out", made];
      await control.output("openssl", ["x509", ...sign]);
      const text = api.cluster.kubeconfigFor(CONTROLLER_USER, {
        kind: "certificate",
        certificatePem: await control.readFile(made),
        keyPem: await control.readFile(key),
      });
      await control.writeFile(`${FOLDER}/expired`, text);
      return [`--kubeconfig=${FOLDER}/expired`];
    },
    says: /certificate expired on 20.*; renew the credentials .* \[CREDENTIALS\]/,
  },
];

const CURVE = "ec_paramgen_curve:prime256v1";

test("a kubeconfig that can never work ends the controller with words", async () => {
  await using lab = await createLab();
  const { control, api } = await makePlace(lab);
  await control.output("mkdir", ["-p", FOLDER]);
  for (const { name, make, says } of BAD_CONFIGS) {
    const args = [...usualFlags(), ...(await make({ control, api }))];
    const ended = await control.exec(program("fairlead-controller"), args, { timeoutMs: 30_000 });
    assert.equal(ended.code, 1, `${name}: ${ended.stderr}`);
    const last = ended.stderr.trimEnd().split("\n").at(-1) ?? "";
    assert.match(last, says, name);
  }
});

test("a token that is not known is named, and a new one is taken up", async () => {
  await using lab = await createLab();
  const { control, api } = await makePlace(lab);
  const path = `${FOLDER}/token`;
  await control.writeFile(path, "no-such-token");
  const { cluster } = api;
  const config = cluster.kubeconfigFor(CONTROLLER_USER, { kind: "token-file", path });
  await control.writeFile(`${FOLDER}/by-token`, config);
  const seat = createController(control, "by-token");
  await seat.start();
  const found = await untilSaid(control, /kubernetes services +SourceUnreadable/);
  assert.match(found, /Unauthorized; the credentials of the kubeconfig are wrong or have expired/);
  assert.match(found, /nothing is planned before it was listed/);
  await isNotReady(control, found);

  const known = cluster.credentialsOf(CONTROLLER_USER);
  assert.ok(known.kind === "token");
  await control.writeFile(path, known.token);
  await isReadyAgain(control, seat);
});

test("a user without any right is told which, and goes on when they are given", async () => {
  await using lab = await createLab();
  const { control, api } = await makePlace(lab);
  const { cluster, kubectl } = api;
  const name = "newcomer";
  const config = cluster.kubeconfigFor(name, await cluster.addUser(name));
  await control.writeFile(`${FOLDER}/newcomer`, config);
  const seat = createController(control, "newcomer");
  await seat.start();
  const resources = ["addresspools.fairlead.io", "endpointslices.discovery.k8s.io", "services"];
  const kinds = resources.map((resource) => resource.split(".")[0] ?? "");
  const found = await untilSaid(
    control,
    new RegExp(kinds.map((kind) => `kubernetes ${kind} [^]*`).join("")),
  );
  const lines = kinds.map((kind, index) => {
    const cannot = `User "newcomer" cannot list resource "${kind}"`;
    const grant = `--verb=get,list,watch --resource=${resources[index]}; kubectl create`;
    const line = found.split("\n").find((one) => one.includes(` kubernetes ${kind} `)) ?? "";
    assert.ok(line.includes(cannot) && line.includes(grant), found);
    return line;
  });
  await isNotReady(control, found);

  // What is printed is run as it stands there, and nothing else.
  for (const line of lines) {
    const commands = [...line.matchAll(/kubectl (create [^;]+)/g)].map(([, rest = ""]) => rest);
    assert.equal(commands.length, 2, line);
    for (const command of commands) await kubectl(command.split(" "));
  }
  await isReadyAgain(control, seat);
});

async function makePlace(lab: Lab): Promise<{ readonly control: Host; readonly api: ApiHost }> {
  const control = await lab.addHost("control", { address: "10.77.0.5/24" });
  return { control, api: await addApiHost(lab, control) };
}

function usualFlags(): readonly string[] {
  return ["--insecure", `--state-dir=${STATE_DIR}`, "--pool", POOL, "--members=endpoints"];
}

/** Its seat; it counts as started before it serves, as it waits for its source. */
function createController(host: Host, config: string): Seat {
  return createSeat({
    host,
    command: program("fairlead-controller"),
    args: [...usualFlags(), `--kubeconfig=${FOLDER}/${config}`],
    ready: /SourceUnreadable/,
  });
}

/** What `fairlead status` says when it says this; each time that it is asked takes a second. */
async function untilSaid(control: Host, pattern: RegExp): Promise<string> {
  let said = "nothing";
  for (let asked = 0; asked < STATUS_ASKED_MAX; asked += 1) {
    const status = await control.exec(program("fairlead"), ["status", "--wait", "1s"], {
      timeoutMs: STATUS_MS_MAX,
    });
    said = `${status.stdout}${status.stderr}`;
    if (pattern.test(said)) return said;
  }
  throw new Error(`asked in vain until status says ${pattern.source}; it says:\n${said}`);
}

async function isNotReady(control: Host, status: string): Promise<void> {
  assert.match(status, /controller not ready: sources are being listed/);
  assert.equal(await readiness(control), "503");
}

async function isReadyAgain(control: Host, seat: Seat): Promise<void> {
  await seat.waitForLine(/controller of epoch \d+ serves/, AGAIN_MS_MAX);
  // Pools are not waited for: an API server that has just begun may take a moment to list them.
  await untilSaid(control, /^(?![^]*SourceUnreadable)[^]*controller ready/);
  assert.equal(await readiness(control), "200");
  assert.equal(seat.trouble(), undefined);
  await seat.stop();
}

/** The HTTP status of /readyz. */
function readiness(control: Host): Promise<string> {
  const args = ["--silent", "--output", "/dev/null", "--write-out", "%{http_code}"];
  return control.output("curl", [...args, "http://127.0.0.1:7704/readyz"]);
}
