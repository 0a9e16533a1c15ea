// What the kernel takes of nftables, tried with rules that are checked and never put in force: nft
// sends them without the end of their batch, and the kernel forgets them. Given the program `nft`.

import { release } from "node:os";
import { describeError, escapeBounded, runProgram } from "@fairlead/runtime";

/** One thing that rules need. */
export interface KernelFeature {
  /** Without blanks. */
  readonly name: string;
  /** What the kernel, or nft, says against it; absent when it takes it. */
  readonly problem?: string;
}

/** What the kernel has. */
export interface KernelFacts {
  readonly release: string;
  /** First line of what nft says of its version; absent when it is not there. */
  readonly nftVersion?: string;
  /** Empty when nft is not there. */
  readonly features: readonly KernelFeature[];
}

const NFT_MS_MAX = 5000;
const NFT_BYTES_MAX = 4096;
const WORDS_MAX = 200;
/** A name that nobody has; nothing of that name is ever made. */
const TABLE = "fairlead_check";

const chain = (family: string, type: string, rule: string): string =>
  `table ${family} ${TABLE} {
  chain c { type ${type}; policy accept;
    ${rule}
  }
}
`;

const RESET = "tcp dport 9 reject with tcp reset";

/** In a chain of nat, which refuses what it finds no place for as well. */
const natTo = (place: string): string => `tcp dport 9 dnat to ${place}\n    ${RESET}`;

/** Rules like those that the agent writes, each of one feature. */
const FEATURES: readonly (readonly [name: string, rules: string, isIpv6?: boolean])[] = [
  ["nftables", chain("inet", "filter hook input priority 0", "counter")],
  ["nat-ipv4", chain("ip", "nat hook output priority -100", natTo("192.0.2.1:80"))],
  ["nat-ipv6", chain("ip6", "nat hook output priority -100", natTo("[2001:db8::1]:80")), true],
  ["notrack", chain("inet", "filter hook prerouting priority -300", "tcp dport 9 notrack")],
  ["conntrack", chain("inet", "filter hook input priority 0", "ct state established accept")],
  [
    "maps",
    `table ip ${TABLE} {
  map m { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
    elements = { 192.0.2.1 . tcp . 80 : 192.0.2.2 . 80 }
  }
  chain c { type nat hook output priority -100; policy accept;
    dnat ip to ip daddr . meta l4proto . th dport map @m
  }
}
`,
  ],
  [
    "sets-with-timeouts",
    `table inet ${TABLE} {
  set s { typeof iifname . ip saddr . @th,8,8; flags dynamic,timeout; size 8; timeout 60s; }
}
`,
  ],
  [
    "slots",
    `table ip ${TABLE} {
  map m { typeof ip saddr . numgen inc mod 24 : ip daddr . tcp dport; }
  chain c { type nat hook output priority -100; policy accept;
    tcp dport 9 dnat ip to ip saddr . numgen random mod 120 map @m
  }
}
`,
  ],
  [
    "hashes",
    chain("inet", "filter hook input priority 0", "jhash ip saddr . tcp sport mod 16 == 1 accept"),
  ],
  ["reject", chain("inet", "filter hook input priority 0", RESET)],
];

/** Asks the kernel. Never rejects for what it lacks. */
export async function readKernel(options: {
  /** An absolute path; undefined when it is not there. */
  readonly nft: string | undefined;
  readonly hasIpv6: boolean;
}): Promise<KernelFacts> {
  const { nft, hasIpv6 } = options;
  if (nft === undefined) return { release: release(), features: [] };
  const wanted = FEATURES.filter(([, , isIpv6]) => hasIpv6 || isIpv6 !== true);
  const features: KernelFeature[] = [];
  for (const [name, rules] of wanted) {
    const problem = await problemOf(nft, ["--check", "--file", "-"], rules);
    features.push(problem === undefined ? { name } : { name, problem });
  }
  return { release: release(), nftVersion: await versionOf(nft), features };
}

async function problemOf(
  nft: string,
  args: readonly string[],
  input: string,
): Promise<string | undefined> {
  try {
    const { code, stderr } = await run(nft, args, input);
    if (code === 0) return undefined;
    return escapeBounded(stderr.trim().split("\n")[0] ?? "nft says nothing", WORDS_MAX);
  } catch (error) {
    return escapeBounded(describeError(error), WORDS_MAX);
  }
}

async function versionOf(nft: string): Promise<string> {
  try {
    const { stdout } = await run(nft, ["--version"], "");
    return escapeBounded(stdout.trim().split("\n")[0] ?? "", WORDS_MAX);
  } catch {
    return "";
  }
}

async function run(
  command: string,
  args: readonly string[],
  input: string,
): ReturnType<typeof runProgram> {
  const limits = { timeoutMs: NFT_MS_MAX, maxOutputBytes: NFT_BYTES_MAX };
  return await runProgram({ command, args, input, ...limits });
}
