// Services are held back while packages are installed, and whatever policy was there before is put
// back: after success, after failure, after a signal, and after a call that was killed. The real
// script, with an apt-get that only looks at the policy.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("install-packages.sh", import.meta.url));
const THEIRS = "#!/bin/sh\n# their policy\nexit 0\n";
const OURS = /services are held back/;

test("services are held back during the call alone", () => {
  using place = createPlace('sh "$FAIRLEAD_POLICY_FILE"; echo "policy says $?" >>"$LOG"');
  assert.equal(place.run("s6").status, 0);
  assert.match(place.log(), /install.* s6/);
  assert.match(place.log(), /policy says 101/);
  assert.ok(!existsSync(place.policy));
});

test("a policy that was there comes back, also when the packages do not install", () => {
  using place = createPlace("exit 100");
  writeFileSync(place.policy, THEIRS);
  assert.equal(place.run("s6").status, 100);
  assert.equal(readFileSync(place.policy, "utf8"), THEIRS);
});

test("it comes back after SIGTERM", async () => {
  using place = createPlace('echo started >>"$LOG"; echo started; exec cat <&3');
  writeFileSync(place.policy, THEIRS);
  const child = spawn("sh", [SCRIPT, "s6"], {
    env: place.env,
    stdio: ["ignore", "pipe", "inherit", "pipe"],
  });
  assert.ok(child.stdout);
  await once(child.stdout, "data");
  assert.match(readFileSync(place.policy, "utf8"), OURS);
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  child.stdio[3]?.destroy(); // apt-get ends; only then does the shell look at its signal.
  await ended;
  assert.equal(readFileSync(place.policy, "utf8"), THEIRS);
});

test("what a killed call left is recognised and not kept", () => {
  using place = createPlace("");
  writeFileSync(
    place.policy,
    "#!/bin/sh\n# fairlead set-up: services are held back for one call of apt-get\n",
  );
  writeFileSync(`${place.policy}.before-fairlead`, THEIRS);
  assert.equal(place.run("s6").status, 0);
  assert.equal(readFileSync(place.policy, "utf8"), THEIRS);
  assert.ok(!existsSync(`${place.policy}.before-fairlead`));
});

test("lists are fetched first where there are none, and again where they are too old", () => {
  using fresh = createPlace("");
  rmSync(fresh.lists, { recursive: true });
  assert.equal(fresh.run("s6").status, 0);
  assert.match(fresh.log(), /update\n.*install/s);

  using old = createPlace('if [ ! -e "$LOG.once" ]; then touch "$LOG.once"; exit 100; fi');
  assert.equal(old.run("s6").status, 0);
  assert.match(old.log(), /install.*\n.*update\n.*install/);
});

interface Place extends Disposable {
  readonly policy: string;
  readonly lists: string;
  readonly env: NodeJS.ProcessEnv;
  readonly run: (...packages: readonly string[]) => { readonly status: number | null };
  readonly log: () => string;
}

/** A machine of files: `onInstall` is what its apt-get does when it is told to install. */
function createPlace(onInstall: string): Place {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-packages-"));
  const at = (name: string): string => join(folder, name);
  mkdirSync(at("bin"));
  mkdirSync(at("lists"));
  writeFileSync(at("lists/debian_Packages"), "");
  const apt = `#!/bin/sh\necho "$*" >>"$LOG"\ncase "$*" in *update*) exit 0 ;; esac\n${onInstall}\n`;
  writeFileSync(at("bin/apt-get"), apt, { mode: 0o755 });
  const env = {
    PATH: `${at("bin")}:${process.env["PATH"] ?? ""}`,
    LOG: at("log"),
    FAIRLEAD_POLICY_FILE: at("policy-rc.d"),
    FAIRLEAD_APT_LISTS: at("lists"),
  };
  return {
    policy: env.FAIRLEAD_POLICY_FILE,
    lists: env.FAIRLEAD_APT_LISTS,
    env,
    run: (...packages) => spawnSync("sh", [SCRIPT, ...packages], { env, stdio: "ignore" }),
    log: () => readFileSync(env.LOG, "utf8"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
