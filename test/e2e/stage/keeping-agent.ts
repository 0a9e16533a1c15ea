// An agent on loopback that takes every plan of the controller that it follows and says that it has
// it, and that keeps an address which is taken from it until it is told to let go. So addresses
// drain. Given its network. The stream to the controller is the real one; there is no host.

import { type AcceptedPlan, type ControllerLink, createControllerLink } from "@fairlead/agent";
import type { ResourceName, ResourceReport } from "@fairlead/model";
import { createLogger, createSystemClock } from "@fairlead/runtime";
import { makeAgent } from "@fairlead/testkit";
import { createRevisions } from "@fairlead/wire";

import type { SpokenProgram } from "./spoken-program.ts";

/** An agent, and what it has. */
export interface KeepingAgent extends AsyncDisposable {
  readonly name: string;
  /**
   * Connects to this controller as soon as it says where it listens, and leaves the last one. It
   * lets go what it kept, and keeps what is taken from it from now on.
   */
  follow(controller: SpokenProgram): Promise<void>;
  /** Gives up what it kept, and from now on whatever is taken from it. */
  letGo(): void;
  /** Addresses that it has. */
  has(): ReadonlySet<string>;
}

/** Of each wait before it connects again, which are 200 ms to 5 s long at the most. */
const WAIT_SHARE = 0.05;
/** What the names of addresses begin with, among a plan's resources. */
const VIP = "vip/";
const clock = createSystemClock();
const log = createLogger({ level: "silent", format: "json" });
const revisions = createRevisions();

/** Makes an agent that has nothing. @param prefix its address: `192.0.2.11/24`. */
export function makeKeepingAgent(prefix: string): KeepingAgent {
  const { hello } = makeAgent("lb1", { prefixes: [prefix] });
  const { agent, links } = hello;
  const kept = new Map<ResourceName, ResourceReport>();
  let [plan, link]: [AcceptedPlan?, ControllerLink?] = [];
  let [sequence, isKeeping] = [0, true];
  const hasNow = (): ReadonlyMap<ResourceName, ResourceReport> =>
    new Map([...kept, ...Array.from(plan?.revisions ?? [], reported)]);
  const report = (): void => {
    sequence += 1;
    link?.report({
      agent,
      sequence,
      epoch: plan?.epoch ?? 0,
      ...(plan === undefined ? {} : { planRevision: plan.revision }),
      links,
      resources: hasNow(),
      lanes: [],
      dataPlane: { generationsAlive: 1, keepalivedAlive: true, reloads: 1 },
      remarks: [],
    });
  };
  const take = (next: AcceptedPlan): void => {
    for (const [name, one] of hasNow()) {
      if (isKeeping && name.startsWith(VIP)) kept.set(name, one);
    }
    for (const name of next.revisions.keys()) kept.delete(name);
    plan = next;
    report();
  };
  return {
    name: agent,
    follow: async (controller) => {
      const [, address = ""] = await controller.until(/ agents=(\S+)/u);
      await link?.[Symbol.asyncDispose]();
      isKeeping = true;
      kept.clear();
      link = createControllerLink({
        agent,
        addresses: [address],
        credentials: { kind: "insecure" },
        clock,
        log,
        revisions,
        random: () => WAIT_SHARE,
      });
      link.start({
        hello: () => ({ ...hello, epoch: plan?.epoch ?? 0 }),
        held: () => plan,
        onPlan: take,
        look: () => Promise.resolve(),
        announce: () => undefined,
        onConnectionChange: () => undefined,
      });
      report();
    },
    letGo: () => {
      isKeeping = false;
      kept.clear();
      report();
    },
    has: () => {
      const vips = [...hasNow().keys()].filter((name) => name.startsWith(VIP));
      return new Set(vips.map((name) => name.slice(VIP.length)));
    },
    [Symbol.asyncDispose]: async () => await link?.[Symbol.asyncDispose](),
  };
}

/** It has VIPs, and does not say that anybody is served: that is another story's. */
function reported([name, revision]: readonly [ResourceName, ResourceReport["revision"]]): readonly [
  ResourceName,
  ResourceReport,
] {
  return [name, { name, revision, step: "applied", evidence: [] }];
}
