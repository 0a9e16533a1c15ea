// The words that scripts for nft of ours may hold: nft's own, addresses, numbers, and names that
// the caller lists. Given a script; answers with every other word. It judges words and not their
// order: nft itself refuses what makes no sense, and no word of a user is among these. Pure.

import { ADDRESS, DEVICE, words } from "./words.ts";

/** What a script may say beside nft's own words. */
export interface NftGrammarOptions {
  /** Names of tables, chains, sets and maps. */
  readonly names: ReadonlySet<string>;
  /** More of nft's own words. Default: none. */
  readonly keywords?: ReadonlySet<string>;
  /** Lines that are comments, each as a whole. Default: none. */
  readonly comments?: ReadonlySet<string>;
}

/** What a script of the table of members may say. */
export const MEMBER_WORDS: NftGrammarOptions = {
  names:
    listed(`fairlead_members slots4 slots6 turns4 turns6 listeners4 listeners6 revision untracked_in
    untracked_out choose refuse_in leave`),
};

/** What a script of the table that hears VRRP may say. */
export const VRRP_WORDS: NftGrammarOptions = {
  names: listed("fairlead_vrrp hear pass heard4 heard6 passed4 passed6"),
};

/** What a script of the input guard may say. */
export const GUARD_WORDS: NftGrammarOptions = {
  names: listed(`fairlead_guard revision vips4 vips6 listeners4 listeners6 lanes peers4 peers6
    before_nat untranslated refused vip4 vip6`),
  keywords: listed("fin syn rst ack local frag frag-off"),
  comments: new Set([
    "# What is refused is kept from being translated to somewhere else: node ports answer there.",
    "# Flows that began go on: for what has no socket the kernel sends the reset.",
  ]),
};

const KEYWORDS: ReadonlySet<string> = listed(
  `add create insert replace delete destroy flush list table chain rule set map element elements
  counter comment inet ip ip6 arp netdev type typeof flags hook priority policy size timeout
  gc-interval filter nat route prerouting input forward output postrouting ingress raw mangle
  dstnat srcnat security accept drop reject return jump goto continue queue with tcp udp icmp icmpv6
  icmpx reset port-unreachable admin-prohibited addr-unreachable host-unreachable no-route ipv4_addr
  ipv6_addr inet_proto inet_service ifname iifname oifname iif oif mark verdict dynamic interval
  constant concat addr saddr daddr sport dport protocol nexthdr meta l4proto nfproto th ct state
  status new established related invalid untracked dnat snat masquerade notrack limit rate over
  second minute hour burst packets bytes packet numgen random inc mod offset jhash symhash seed to
  vmap update echo-request echo-reply destination-unreachable packet-too-big time-exceeded
  parameter-problem nd-router-solicit nd-router-advert nd-neighbor-solicit nd-neighbor-advert vrrp
  fib lo and or not eq ne lt gt le ge length expires original reply direction id log prefix level
  persistent fully-random hoplimit ttl fwd dup last ether vlan`,
);
const TOKEN = /"[^"\n]*"|[A-Za-z0-9_][A-Za-z0-9_.:/-]*|\[[0-9a-f:.]+\]|::[0-9a-f:.]*|\S/gu;
const MARK = /^[{}();:,.=!<>@&|*+-]$/;
const VALUE: RegExp = words(
  `\\d{1,10}(?:(?:ms|s|m|h|d)\\d*)*|0x[0-9a-f]{1,8}|\\d{1,5}-\\d{1,5}|${ADDRESS}(?:/\\d{1,3})?|` +
    `\\d{1,10}/(?:second|minute|hour|day)|${ADDRESS}-${ADDRESS}|\\[${ADDRESS}\\]|\\d{1,3}(?:\\.\\d{1,3}){3}:\\d{1,5}`,
);
const QUOTED: RegExp = words(`"${DEVICE}"`);

/** Everything in a script that is none of our words, a sentence each; empty for a good one. */
export function nftFaults(script: string, options: NftGrammarOptions): readonly string[] {
  const count = (mark: string): number => script.split(mark).length;
  const balance = count("{") === count("}") ? [] : ["a block is not closed"];
  const strange = script.split("\n").flatMap((line, index) => {
    if (options.comments?.has(line.trimStart()) === true) return [];
    return (line.match(TOKEN) ?? [])
      .filter((token) => !isWord(token, options))
      .map((token) => `line ${index + 1}: ${JSON.stringify(token.slice(0, 80))} is no word of ours`)
      .concat(/[^\t -~]/.test(line) ? [`line ${index + 1}: a strange character`] : []);
  });
  return [...strange, ...balance];
}

function isWord(token: string, { names, keywords }: NftGrammarOptions): boolean {
  if (MARK.test(token) || VALUE.test(token) || QUOTED.test(token)) return true;
  return KEYWORDS.has(token) || names.has(token) || keywords?.has(token) === true;
}

function listed(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/));
}
