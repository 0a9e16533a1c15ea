// Where the pinned Node is, and an environment in which it comes first. It comes as an npm package
// that is a plain archive; nothing here downloads or installs anything.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { SetupRefusal } from "./refusal.mjs";

/**
 * The folder with the pinned node program.
 *
 * @param {string} root the repository
 * @returns {string}
 * @throws {SetupRefusal} when it is not installed
 */
export function pinnedNodeFolder(root) {
  const folder = join(root, "node_modules", `node-linux-${process.arch}`, "bin");
  if (existsSync(join(folder, "node"))) return folder;
  throw new SetupRefusal(
    `the pinned Node is not in ${folder}. Was something installed with --no-optional? ` +
      "Remove node_modules and try again.",
  );
}

/**
 * The environment for everything that set-up starts: pinned Node first, then the workspace's
 * programs, then what was there, and the folders of root's programs, which users often lack.
 *
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function pinnedEnvironment(root, env) {
  const first = [pinnedNodeFolder(root), join(root, "node_modules", ".bin")];
  const given = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const last = ["/usr/local/sbin", "/usr/sbin", "/sbin"].filter((f) => !given.includes(f));
  const rest = given.filter((folder) => !first.includes(folder));
  return {
    ...env,
    PATH: [...first, ...rest, ...last].join(delimiter),
    // What Node made of the sources is kept, as the programs do: half of a test file's start.
    NODE_COMPILE_CACHE: env["NODE_COMPILE_CACHE"] ?? join(root, ".cache", "compiled"),
    TURBO_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
  };
}
