// The Debian packages that the programs and the lab need. Finds out which are missing and has
// install-packages.sh install them, as root or by sudo without a password. Where that is not to be
// had it prints the one line to run. Services are held back by that script.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SetupRefusal } from "./refusal.mjs";
import { runProgram, tailOf } from "./program.mjs";
import { timed } from "./say.mjs";

/**
 * What has to be there, by Debian's names: first what the programs use, then what only tests do.
 * "prometheus" is there for its promtool; its server is never started.
 */
export const PACKAGES = Object.freeze([
  "nginx-light",
  "libnginx-mod-stream",
  "keepalived",
  "s6",
  "nftables",
  "iproute2",
  "iputils-arping",
  "libndp-tools",
  "procps",
  "curl",
  "iputils-ping",
  "openssl",
  "prometheus",
]);

/** What benches need beside these: who is compared with us, and who makes load. */
export const BENCH_PACKAGES = Object.freeze(["haproxy", "wrk", "fping"]);

const SCRIPT = fileURLToPath(new URL("install-packages.sh", import.meta.url));

/**
 * Which of the packages are missing on this machine.
 *
 * @param {readonly string[]} wanted
 * @returns {Promise<readonly string[]>}
 * @throws {SetupRefusal} when the machine is no Debian
 */
export async function findMissingPackages(wanted = PACKAGES) {
  if (findProgram("dpkg-query") === undefined || findProgram("apt-get") === undefined) {
    throw new SetupRefusal(
      `apt-get is missing, so this is no Debian. Install these by hand: ${wanted.join(" ")}; ` +
        "or use a Debian machine.",
    );
  }
  const query = ["-W", "-f", "${Package} ${db:Status-Status}\\n", ...wanted];
  return missingPackages((await runProgram("dpkg-query", query)).output, wanted);
}

/**
 * Installs the packages that are missing.
 *
 * @param {readonly string[]} wanted
 * @throws {SetupRefusal} when they cannot be installed from here
 */
export async function ensurePackages(wanted = PACKAGES) {
  const missing = await findMissingPackages(wanted);
  if (missing.length === 0) return;
  const [command, ...args] = await installCommand(missing);
  await timed(`install Debian packages: ${missing.join(" ")}`, async () => {
    const run = await runProgram(/** @type {string} */ (command), args);
    if (run.code !== 0) {
      throw new SetupRefusal(`the packages could not be installed:\n${tailOf(run.output)}`);
    }
  });
}

/**
 * The packages that dpkg-query does not call installed. Names that dpkg does not know at all
 * appear in its output as an error only, so they are missing too.
 *
 * @param {string} queryOutput lines of name and status
 * @param {readonly string[]} wanted
 * @returns {readonly string[]}
 */
export function missingPackages(queryOutput, wanted = PACKAGES) {
  const lines = new Set(queryOutput.split("\n"));
  return wanted.filter((name) => !lines.has(`${name} installed`));
}

/**
 * @param {readonly string[]} missing
 * @returns {Promise<readonly string[]>}
 */
async function installCommand(missing) {
  if (process.getuid?.() === 0) return ["sh", SCRIPT, ...missing];
  const sudo = await runProgram("sudo", ["-n", "true"]);
  if (sudo.code === 0) return ["sudo", "-n", "sh", SCRIPT, ...missing];
  throw new SetupRefusal(
    `Debian packages are missing (${missing.join(" ")}), and neither root nor sudo without a ` +
      `password is at hand. Run this line as root, then try again:\n\n` +
      `    sh ${SCRIPT} ${missing.join(" ")}\n`,
  );
}

/**
 * Looks a program up as a shell would, and in the folders for root's programs as well.
 *
 * @param {string} name
 * @returns {string | undefined} its path
 */
export function findProgram(name) {
  const path = `${process.env["PATH"] ?? ""}${delimiter}/usr/sbin${delimiter}/sbin`;
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
