// A host whose ports take their time and now and then fail before they did anything: a full disk, a
// kernel that does not answer, a daemon that does not come up. Given the host, the clock of the
// process that calls it and the luck.

import type { PlanFile, Host } from "@fairlead/agent";
import type { Clock } from "@fairlead/runtime";

import type { FakeHost } from "../fakes/fake-host.ts";
import type { Faults } from "./faults.ts";

/** How long calls take, in ms: about what they take on a real host. */
const TOOK_MS = { look: 1, disk: 5, keepalived: 60, nginx: 105 } as const;

/** Ports of a host that an agent's process calls. */
export interface UnreliableHost {
  readonly host: Pick<Host, "kernel" | "keepalived" | "nginx" | "portProbe" | "ledger">;
  readonly planFile: PlanFile;
}

/** Wraps every port. */
export function unreliableHost(
  host: FakeHost,
  { clock, faults }: { readonly clock: Clock; readonly faults: Faults },
): UnreliableHost {
  const { kernel, keepalived, nginx, portProbe, ledger, planFile } = host;
  const attempt = (call: string, tookMs: number): Promise<void> =>
    faults.attempt(clock, call, tookMs);
  return {
    host: {
      kernel: {
        ...kernel,
        view: async () => {
          await attempt("looking at the kernel", TOOK_MS.look);
          return await kernel.view();
        },
        removeAddress: async (address) => {
          await attempt("removing an address", TOOK_MS.look);
          return await kernel.removeAddress(address);
        },
      },
      keepalived: {
        ...keepalived,
        apply: async (text, vipCount) => {
          await attempt("reloading keepalived", TOOK_MS.keepalived);
          return await keepalived.apply(text, vipCount);
        },
        stop: async () => {
          await attempt("stopping keepalived", TOOK_MS.keepalived);
          await keepalived.stop();
        },
      },
      nginx: {
        ...nginx,
        apply: async (text, generation) => {
          await attempt("reloading nginx", TOOK_MS.nginx);
          return await nginx.apply(text, generation);
        },
      },
      portProbe,
      ledger: {
        load: () => ledger.load(),
        save: async (entries) => {
          await attempt("writing the ledger", TOOK_MS.disk);
          await ledger.save(entries);
        },
      },
    },
    planFile: {
      load: () => planFile.load(),
      save: async (plan) => {
        await attempt("writing the plan", TOOK_MS.disk);
        await planFile.save(plan);
      },
    },
  };
}
