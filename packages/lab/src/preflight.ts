// Says what the lab misses on this machine before it makes anything. Given where programs are
// looked for. What only the kernel can refuse is told by the start of the stage itself.

import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { labError } from "./lab-error.ts";

/** The programs that the lab itself runs, and the Debian package each comes from. */
const PROGRAMS: Readonly<Record<string, string>> = {
  unshare: "util-linux",
  nsenter: "util-linux",
  mount: "mount",
  hostname: "hostname",
  ip: "iproute2",
  nft: "nftables",
};

/** Throws NOT_POSSIBLE naming every missing program and the packages to install. */
export function checkMachine(searchPath: string): void {
  if (process.platform !== "linux") {
    throw labError("NOT_POSSIBLE", "the lab needs Linux: its hosts are network namespaces");
  }
  const missing = Object.keys(PROGRAMS).filter((program) => !isInstalled(program, searchPath));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((program) => PROGRAMS[program]))].join(" ");
  throw labError(
    "NOT_POSSIBLE",
    `the lab misses ${missing.join(", ")}: install it with "apt-get install ${packages}"`,
  );
}

function isInstalled(program: string, searchPath: string): boolean {
  return searchPath.split(":").some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
