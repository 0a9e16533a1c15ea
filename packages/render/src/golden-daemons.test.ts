// Every golden file is read by the program that it is for, in namespaces of its own, as root and
// as a normal user. A broken file of each kind must be refused, or the checks would prove nothing.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { inSandbox } from "@fairlead/testkit";

const TESTDATA = fileURLToPath(new URL("../testdata/", import.meta.url));
const CHECK_MS_MAX = 10_000;

/** keepalived exits with this on any word that it does not know. */
const KEEPALIVED_BAD_CONFIG = 5;

const file = import.meta.url;
inSandbox({ file, name: "daemons read the goldens as root" }, checkGoldens);
inSandbox(
  { file, name: "daemons read the goldens as a normal user", userNamespace: true },
  checkGoldens,
);

function checkGoldens(): void {
  const goldens = readdirSync(TESTDATA).filter((name) => name !== "broken");
  prepare(goldens.map((name) => read(name, "keepalived.conf")));
  for (const name of goldens) {
    test(`keepalived accepts ${name}`, () => {
      const { status, output } = checkKeepalived(name);
      assert.equal(status, 0, output);
    });
    test(`nginx accepts ${name}`, () => {
      const { status, output } = checkNginx(name);
      assert.equal(status, 0, output);
    });
  }
  for (const name of goldens.filter((one) => existsSync(`${TESTDATA}${one}/members.nft`))) {
    test(`nft accepts ${name}`, () => {
      const { status, output } = checkNft(name);
      assert.equal(status, 0, output);
    });
  }
  test("nft refuses a script with a bad word", () => {
    const { status, output } = checkNft("broken");
    assert.equal(status, 1, output);
    assert.match(output, /masquerades/);
  });
  test("keepalived refuses a file with a bad word", () => {
    const { status, output } = checkKeepalived("broken");
    assert.equal(status, KEEPALIVED_BAD_CONFIG, output);
    assert.match(output, /advert_interval/);
  });
  test("nginx refuses a file with a bad word", () => {
    const { status, output } = checkNginx("broken");
    assert.equal(status, 1, output);
    assert.match(output, /proxy_timeouts/);
  });
}

/** What an agent finds or makes on a host: devices, folders, sysctls. */
function prepare(keepalivedTexts: readonly string[]): void {
  const devices = new Set(
    keepalivedTexts.flatMap((text) =>
      [...text.matchAll(/^ {2}interface (\S+)$/gm)].map((match) => match[1] ?? ""),
    ),
  );
  let count = 0;
  for (const device of devices) {
    count += 1;
    const args = ["link", "add", device, "type", "veth", "peer", "name", `far${count}`];
    const { status, output } = run("ip", args);
    assert.equal(status, 0, output);
  }
  for (const folder of ["nginx", "keepalived/track"]) {
    mkdirSync(`/run/fairlead/${folder}`, { recursive: true });
  }
  for (const family of ["ipv4", "ipv6"]) {
    writeFileSync(`/proc/sys/net/${family}/ip_nonlocal_bind`, "1");
  }
}

function checkKeepalived(name: string): { status: number | null; output: string } {
  return run("keepalived", ["--config-test", "--use-file", `${TESTDATA}${name}/keepalived.conf`]);
}

function checkNginx(name: string): { status: number | null; output: string } {
  return run("nginx", ["-e", "stderr", "-t", "-c", `${TESTDATA}${name}/nginx.conf`]);
}

function checkNft(name: string): { status: number | null; output: string } {
  return run("nft", ["--check", "--file", `${TESTDATA}${name}/members.nft`]);
}

function run(program: string, args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: "utf8",
    timeout: CHECK_MS_MAX,
  });
  if (error !== undefined) throw error;
  return { status, output: `${stdout}${stderr}` };
}

function read(name: string, golden: string): string {
  return readFileSync(`${TESTDATA}${name}/${golden}`, "utf8");
}
