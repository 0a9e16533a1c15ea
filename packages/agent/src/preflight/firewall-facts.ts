// Which chains drop what comes in for the host, as far as nft can list them, and whether their
// table knows protocol 112. Rules of the older iptables are not seen; that they are there is.
// Given the program `nft`.

import { describeError, escapeBounded, runProgram } from "@fairlead/runtime";
import { readOrNothing } from "../read-or-nothing.ts";

/** A base chain that drops what no rule of it accepts. */
export interface DroppingChain {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  /** Whether any rule of its table names protocol 112. */
  readonly namesVrrp: boolean;
}

/** What was read. */
export interface FirewallFacts {
  /** Why it could not be read; absent when it could. */
  readonly unreadable?: string;
  readonly dropping: readonly DroppingChain[];
  /** Whether the older iptables has a table of filters, whose rules nft does not list. */
  readonly hasLegacyFilter: boolean;
}

const NFT_MS_MAX = 10_000;
/** A table of a hundred thousand rules is a cluster's, and none that a person wrote. */
const NFT_BYTES_MAX = 4 * 1024 * 1024;
const WORDS_MAX = 200;
const FAMILIES: ReadonlySet<string> = new Set(["ip", "ip6", "inet"]);

/** Reads them. Never rejects. */
export async function readFirewall(nft: string | undefined): Promise<FirewallFacts> {
  const legacy = await Promise.all(
    ["/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"].map(readOrNothing),
  );
  const hasLegacyFilter = legacy.some((text) => text.split("\n").includes("filter"));
  const none = { dropping: [], hasLegacyFilter };
  if (nft === undefined) return { ...none, unreadable: "nft is not installed" };
  try {
    const chains = droppingChains(await list(nft, ["chains"]));
    const dropping: DroppingChain[] = [];
    for (const one of chains) {
      const text = await list(nft, ["table", one.family, one.table]);
      dropping.push({ ...one, namesVrrp: namesVrrp(text) });
    }
    return { dropping, hasLegacyFilter };
  } catch (error) {
    return { ...none, unreadable: escapeBounded(describeError(error), WORDS_MAX) };
  }
}

/** Base chains of the input hook with the policy `drop`, out of `nft list chains`. */
export function droppingChains(text: string): readonly Omit<DroppingChain, "namesVrrp">[] {
  const found: Omit<DroppingChain, "namesVrrp">[] = [];
  let family = "";
  let table = "";
  let chain = "";
  for (const line of text.split("\n")) {
    const opened = /^\s*(table|chain) (\S+)(?: (\S+))? \{/.exec(line);
    if (opened?.[1] === "table") [, , family = "", table = ""] = opened;
    else if (opened?.[1] === "chain") [, , chain = ""] = opened;
    const drops = /hook input .*policy drop;/.test(line);
    if (drops && FAMILIES.has(family)) found.push({ family, table, chain });
  }
  return found;
}

/** nft writes the protocol as `vrrp` or `112`; iptables' own extension writes `-p 112` alike. */
export function namesVrrp(text: string): boolean {
  return text
    .split("\n")
    .some((line) => /(?:protocol|l4proto|nexthdr)\b.*(?:\bvrrp\b|\b112\b)/.test(line));
}

async function list(command: string, what: readonly string[]): Promise<string> {
  const limits = { timeoutMs: NFT_MS_MAX, maxOutputBytes: NFT_BYTES_MAX };
  const result = await runProgram({ command, args: ["list", ...what], ...limits });
  if (result.code !== 0) throw new Error(result.stderr.trim().split("\n")[0] ?? "nft failed");
  if (result.stdout.length >= NFT_BYTES_MAX) throw new Error("there are too many rules to read");
  return result.stdout;
}
