// The flows of nginx to members, as the kernel tracks them: listed by one question for each target,
// and ended many at a time. The socket goes before the flow, because the member is told by its
// reset, which finds the member by the flow. It decides nothing of which flows are to end.

import type * as Netlink from "netlink";
import type { Address } from "@fairlead/model";
import type { MemberFlow, MemberFlows } from "../ports.ts";
import { FLOWS_GET, SOCKETS, endSockets, flowOf, flowsTo, forgetFlows } from "./flow-messages.ts";
import { closeSockets } from "./close-sockets.ts";
import { loadNetlink } from "./load-netlink.ts";
import { kernelError } from "./netlink-error.ts";
import { openWriter, writeMessages } from "./raw-writer.ts";
import { SOCKET_SIZES } from "./socket-sizes.ts";

/** What the adapter is made of. */
export interface NetlinkFlowsOptions {
  /** What nginx connects to, one of each family. Every flow to them comes from a listener. */
  readonly targets: readonly Address[];
}

/** 100 000 flows take half a second. */
const LIST_MS_MAX = 10_000;
/** So many refusals fit into the receive buffer many times. */
const CHANGES_MAX = 256;
/** NETLINK_NETFILTER (netlink(7)). */
const NETFILTER = 12;
/** NLM_F_DUMP (netlink(7)). */
const DUMP = 0x300;

/** Opens the adapter. Rejects with EdgeError "NOT_AVAILABLE" where it cannot work. */
export async function createNetlinkFlows({ targets }: NetlinkFlowsOptions): Promise<MemberFlows> {
  const netlink = await loadNetlink();
  return new Flows(targets, {
    reads: netlink.createNetlink(NETFILTER, { ref: false, ...SOCKET_SIZES }),
    tracking: openWriter(netlink, NETFILTER),
    sockets: openWriter(netlink, SOCKETS),
  });
}

interface Sockets {
  readonly reads: Netlink.NetlinkSocket;
  readonly tracking: Netlink.RawNetlinkSocket;
  readonly sockets: Netlink.RawNetlinkSocket;
}

class Flows implements MemberFlows {
  readonly #targets: readonly Address[];
  readonly #sockets: Sockets;

  constructor(targets: readonly Address[], sockets: Sockets) {
    this.#targets = targets;
    this.#sockets = sockets;
  }

  async list(): Promise<readonly MemberFlow[]> {
    const flows: MemberFlow[] = [];
    try {
      for (const target of this.#targets) {
        const options = { flags: DUMP, timeout: LIST_MS_MAX };
        const { reads } = this.#sockets;
        const [answers] = await reads.request(FLOWS_GET, flowsTo(target), options);
        for (const { data } of answers) {
          const flow = flowOf(data);
          // Of a slot that had nobody, the target itself has answered.
          if (flow?.target === target && flow.member !== target) flows.push(flow);
        }
      }
    } catch (error) {
      throw kernelError(error, "cannot list connections to members");
    }
    return flows;
  }

  async end(flows: readonly MemberFlow[]): Promise<void> {
    try {
      for (let at = 0; at < flows.length; at += CHANGES_MAX) {
        const some = flows.slice(at, at + CHANGES_MAX);
        const tcp = some.filter(({ protocol }) => protocol === "tcp");
        await writeMessages(this.#sockets.sockets, endSockets(tcp));
        await writeMessages(this.#sockets.tracking, forgetFlows(some));
      }
    } catch (error) {
      throw kernelError(error, "cannot end connections to members");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { reads, tracking, sockets } = this.#sockets;
    await closeSockets(reads, tracking, sockets);
  }
}
