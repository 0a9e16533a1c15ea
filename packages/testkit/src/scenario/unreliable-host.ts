// A host whose ports take their time and now and then fail: a full disk, a kernel that does not
// answer, a daemon that does not come up. Half of what fails was done all the same, and only its
// end was not seen. Given the host, the clock of the process that calls it and the luck.

import type { PlanFile, Host } from "@fairlead/agent";
import type { Clock } from "@fairlead/runtime";

import type { FakeHost } from "../fakes/fake-host.ts";
import type { Faults } from "./faults.ts";

/** How long calls take, in ms: about what they take on a real host. */
const TOOK_MS = { look: 1, disk: 5, keepalived: 60, ask: 100, nginx: 105, nft: 18 } as const;

/** Ports of a host that an agent's process calls. */
export interface UnreliableHost {
  readonly host: Pick<
    Host,
    | "kernel"
    | "announcer"
    | "segment"
    | "sight"
    | "vrrp"
    | "guard"
    | "keepalived"
    | "nginx"
    | "members"
    | "routes"
    | "nginxUdp"
    | "downFiles"
    | "portProbe"
    | "ledger"
  >;
  readonly planFile: PlanFile;
}

/** Wraps every port. */
export function unreliableHost(
  host: FakeHost,
  { clock, faults }: { readonly clock: Clock; readonly faults: Faults },
): UnreliableHost {
  const { kernel, announcer, segment, sight, vrrp, keepalived, nginx, portProbe } = host;
  const { guard, nginxUdp, downFiles, ledger, planFile, members } = host;
  const change = changing(clock, faults);
  const reloading = (daemon: typeof nginx): typeof nginx => ({
    ...daemon,
    apply: async (text, generation, news) =>
      await change("reloading nginx", TOOK_MS.nginx, () => daemon.apply(text, generation, news)),
  });
  return {
    host: {
      kernel: {
        ...kernel,
        view: async () => {
          await faults.attempt(clock, "looking at the kernel", TOOK_MS.look);
          return await kernel.view();
        },
        putAddress: async (address) =>
          await change("adding an address", TOOK_MS.look, () => kernel.putAddress(address)),
        removeAddress: async (address) =>
          await change("removing an address", TOOK_MS.look, () => kernel.removeAddress(address)),
      },
      announcer,
      vrrp,
      guard: guard.port,
      segment: {
        ask: async (questions) => {
          await faults.attempt(clock, "asking the segment", TOOK_MS.ask);
          return await segment.ask(questions);
        },
      },
      sight: {
        see: async (link, addresses) => {
          await faults.attempt(clock, "seeing who is there", TOOK_MS.ask);
          return await sight.see(link, addresses);
        },
      },
      keepalived: {
        ...keepalived,
        apply: async (text, vipCount) =>
          await change("reloading keepalived", TOOK_MS.keepalived, () =>
            keepalived.apply(text, vipCount),
          ),
        stop: () => change("stopping keepalived", TOOK_MS.keepalived, () => keepalived.stop()),
      },
      nginx: reloading(nginx),
      nginxUdp: reloading(nginxUdp),
      downFiles,
      members: {
        ...members,
        fill: async (listeners) =>
          await change("filling the table of members", TOOK_MS.nft, () => members.fill(listeners)),
      },
      portProbe,
      ledger: {
        load: () => ledger.load(),
        save: async (entries) =>
          await change("writing the ledger", TOOK_MS.disk, () => ledger.save(entries)),
      },
    },
    planFile: {
      load: () => planFile.load(),
      save: (plan) => change("writing the plan", TOOK_MS.disk, () => planFile.save(plan)),
    },
  };
}

/** A change that fails is done or not, and nobody sees which. */
function changing(
  clock: Clock,
  faults: Faults,
): <T>(call: string, tookMs: number, run: () => Promise<T>) => Promise<T> {
  return async (call, tookMs, run) => {
    if (faults.random() < 0.5) {
      const result = await run();
      await faults.attempt(clock, call, tookMs);
      return result;
    }
    await faults.attempt(clock, call, tookMs);
    return await run();
  };
}
