// The ledger on disk: every address that this agent handed to its host and has not seen gone. It
// tells ours from what was there before us, over crashes and restarts; only what it names is swept.
// It names the boot that it was written in: no address of ours outlives that, and whoever has one
// afterwards is a stranger.

import { parseAddress, parseDeviceName } from "@fairlead/model";
import {
  EdgeError,
  isEdgeError,
  readFileBounded,
  removeUnfinished,
  writeFileDurably,
} from "@fairlead/runtime";

import type { Ledger, LedgerEntry } from "./ports.ts";

/** Ten thousand addresses are about 400 kB. */
const LEDGER_BYTES_MAX = 16 * 1024 * 1024;
const HEADER = "# fairlead ledger 1: address, device, own or foreign";
/** What the ledger says of an address: keepalived's, the agent's own work, or neither. */
const OWNERS: readonly string[] = ["own", "added", "foreign"];

const BOOT = "# boot ";

/**
 * Makes the ledger `<state-dir>/ledger`, a line an address. Unchanged entries are not written.
 * @param options `bootId` changes with every boot of the host.
 */
export function createLedger(options: { readonly path: string; readonly bootId: string }): Ledger {
  const { path, bootId } = options;
  let known: string | undefined;
  return {
    async load() {
      await removeUnfinished(path);
      try {
        const text = (await readFileBounded(path, LEDGER_BYTES_MAX)).toString("utf8");
        const { entries, boot } = ledgerFromText(text, path);
        known = text;
        return boot === undefined || boot === bootId ? entries : [];
      } catch (error) {
        if (isEdgeError(error, "NOT_FOUND")) return [];
        throw error;
      }
    },
    async save(entries) {
      const text = ledgerToText(entries, bootId);
      if (text === known) return;
      await writeFileDurably(path, text, { mode: 0o600 });
      known = text;
    },
  };
}

function ledgerToText(entries: readonly LedgerEntry[], bootId: string): string {
  const lines = entries.map(
    ({ address, link, foreign, added }) =>
      `${address} ${link} ${foreign ? "foreign" : added === true ? "added" : "own"}`,
  );
  return [HEADER, `${BOOT}${bootId}`, ...lines, ""].join("\n");
}

/** A ledger that does not read is not guessed at: what it named could be left behind for ever. */
function ledgerFromText(
  text: string,
  path: string,
): { readonly entries: readonly LedgerEntry[]; readonly boot: string | undefined } {
  const [header, ...lines] = text.split("\n");
  if (header !== HEADER) throw damagedLedger(path, 1);
  let boot: string | undefined;
  const entries = lines.flatMap((line, index) => {
    if (line === "") return [];
    if (index === 0 && line.startsWith(BOOT)) {
      boot = line.slice(BOOT.length);
      return [];
    }
    const [addressText = "", linkText = "", owner, ...rest] = line.split(" ");
    const address = parseAddress(addressText);
    const link = parseDeviceName(linkText);
    const isOwner = owner !== undefined && OWNERS.includes(owner);
    if (address === undefined || link === undefined || !isOwner || rest.length > 0) {
      throw damagedLedger(path, index + 2);
    }
    const added = owner === "added" ? { added: true as const } : {};
    return [{ address, link, foreign: owner === "foreign", ...added }];
  });
  return { entries, boot };
}

function damagedLedger(path: string, line: number): EdgeError<"CORRUPT"> {
  return new EdgeError({
    code: "CORRUPT",
    message: `line ${line} of the ledger ${path} does not read`,
    retryable: false,
  });
}
