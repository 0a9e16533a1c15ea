// Which Go is there, and whether it is new enough for a module. Go itself is asked; nothing is
// downloaded, also no newer Go (GOTOOLCHAIN=local), so what builds is what the machine has.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter } from "node:path";
import { SetupRefusal } from "../setup/refusal.mjs";

/** Where Go's own installer puts it; often missing in the PATH of services and of sudo. */
const USUAL_FOLDER = "/usr/local/go/bin";

/**
 * The environment in which Go is run: nothing of the caller's flags, no other Go, static programs.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function goEnvironment(env) {
  const path = env["PATH"] ?? "";
  const usual = existsSync(USUAL_FOLDER) ? `${delimiter}${USUAL_FOLDER}` : "";
  return {
    ...env,
    PATH: `${path}${usual}`,
    GOTOOLCHAIN: "local",
    GOFLAGS: "-mod=readonly -buildvcs=false",
    GOWORK: "off",
    CGO_ENABLED: "0",
  };
}

/**
 * The version of the Go that is there, as in "go1.26.8 linux/amd64".
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {string}
 * @throws {SetupRefusal} when there is none
 */
export function goVersion(env) {
  try {
    const settings = { env: goEnvironment(env), encoding: /** @type {const} */ ("utf8") };
    return execFileSync("go", ["version"], { ...settings, stdio: ["ignore", "pipe", "pipe"] })
      .replace("go version ", "")
      .trim();
  } catch (cause) {
    throw goRefusal(/** @type {NodeJS.ErrnoException} */ (cause));
  }
}

/**
 * Whether there is a Go that works.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {boolean}
 */
export function hasGo(env) {
  try {
    return goVersion(env) !== "";
  } catch {
    return false;
  }
}

/**
 * What to say when `go version` cannot be run.
 *
 * @param {NodeJS.ErrnoException} cause
 * @returns {SetupRefusal}
 */
export function goRefusal(cause) {
  if (cause.code !== "ENOENT") return new SetupRefusal(`Go does not work: ${cause.message}`);
  return new SetupRefusal(
    "Go is missing, and the tests build real programs with it. Install Go (https://go.dev/dl, " +
      "or Debian's golang-go from bookworm-backports), so that `go version` works.",
  );
}

/**
 * Says in words when this Go is too old for a module, or undefined when it is not.
 *
 * @param {string} version as goVersion gives it
 * @param {string} goMod content of the module's go.mod
 * @returns {string | undefined}
 */
export function goProblem(version, goMod) {
  const wanted = /^go (\d+)\.(\d+)/m.exec(goMod);
  const found = /^go(\d+)\.(\d+)/.exec(version);
  if (wanted === null) return "go.mod has no `go` line";
  if (found === null) return undefined; // A development build of Go: it knows best itself.
  const [wantedMajor, wantedMinor] = [Number(wanted[1]), Number(wanted[2])];
  const [foundMajor, foundMinor] = [Number(found[1]), Number(found[2])];
  const enough =
    foundMajor > wantedMajor || (foundMajor === wantedMajor && foundMinor >= wantedMinor);
  if (enough) return undefined;
  return (
    `Go ${foundMajor}.${foundMinor} is too old: ${wantedMajor}.${wantedMinor} or newer is ` +
    "needed. Install a newer one (https://go.dev/dl)."
  );
}
