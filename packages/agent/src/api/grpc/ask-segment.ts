// Asks the segment now who has an address, for people. Given what the loop last saw of the host;
// changes nothing on it. An address of this host is not asked for: nobody else would answer.

import { type Address, type Link, networkOf, parseAddress, rangeContains } from "@fairlead/model";
import { describeError } from "@fairlead/runtime";
import type { AskSegmentRequest, AskSegmentResponseSchema, MessageInitShape } from "@fairlead/wire";

import type { DebugContext } from "./debug-context.ts";

type AnswerInit = MessageInitShape<typeof AskSegmentResponseSchema>;

/** Longest text that is said back. */
const QUOTED_MAX = 60;

/** Answers AskSegment. */
export async function askSegment(
  context: DebugContext,
  { address: text }: Pick<AskSegmentRequest, "address">,
): Promise<AnswerInit> {
  const address = parseAddress(text);
  if (address === undefined) {
    return { trouble: `${JSON.stringify(text.slice(0, QUOTED_MAX))} is not an address` };
  }
  const { look } = context.view;
  const here = look?.observed.kernel.addresses.find((entry) => entry.address === address);
  if (here !== undefined) return { address, link: here.link, who: "here" };
  const link = linkFor(look?.observed.kernel.links ?? [], address);
  if (link === undefined) return { address, trouble: "no device of the host is up" };
  try {
    return { address, link: link.name, ...(await ask(context, address, link)) };
  } catch (error) {
    return { address, link: link.name, trouble: describeError(error) };
  }
}

async function ask(
  { view, segment }: DebugContext,
  address: Address,
  { name: link }: Link,
): Promise<AnswerInit> {
  const peers = new Set<Address>();
  for (const resource of view.wanted?.plan.resources.values() ?? []) {
    if (resource.kind !== "lane" || resource.link !== link) continue;
    for (const peer of resource.order) {
      if (peer.agent !== view.wanted?.plan.agent) peers.add(peer.address);
    }
  }
  const mac = (await segment.ask([{ address, link, peers: [] }])).get(address);
  if (mac === undefined) return { who: "nobody" };
  const strangers = await segment.ask([{ address, link, peers: [...peers] }]);
  return { who: strangers.has(address) ? "stranger" : "peer", mac };
}

/** The device in whose network the address is, the longest first; else the primary one. */
function linkFor(links: readonly Link[], address: Address): Link | undefined {
  const up = links.filter((link) => link.up);
  let best: { readonly length: number; readonly link: Link } | undefined;
  for (const link of up) {
    for (const prefix of link.prefixes) {
      if (!rangeContains(networkOf(prefix), address)) continue;
      if (best === undefined || prefix.length > best.length) best = { length: prefix.length, link };
    }
  }
  return best?.link ?? up.find((link) => link.primary);
}
