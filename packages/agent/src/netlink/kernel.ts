// The kernel's links and addresses over rtnetlink. The netlink package aborts the whole process
// when a receive buffer overflows: hence large buffers, at most 32 requests in flight, one dump at
// a time, and no events over it where the buffer stays small.

import type { DeviceName } from "@fairlead/model";
import type { Clock, Logger, Timer } from "@fairlead/runtime";
import type { Kernel, KernelView } from "../ports.ts";
import { closeSockets } from "./close-sockets.ts";
import { createInFlight } from "./in-flight.ts";
import { watchByProgram } from "./ip-monitor.ts";
import { createIndexOf } from "./device-indexes.ts";
import { createKernelDumps } from "./kernel-dumps.ts";
import { findLength, putAddress, type Requests, removeAddress } from "./kernel-requests.ts";
import { defaultDevices, kernelView } from "./kernel-view.ts";
import { defaultRoutes } from "./default-routes.ts";
import { createKeptView } from "./kept-view.ts";
import { loadNetlink } from "./load-netlink.ts";
import { kernelError } from "./netlink-error.ts";
import { SOCKET_SIZES } from "./socket-sizes.ts";
import { findWireless } from "./wireless.ts";

/** What the kernel's adapter is made of. */
export interface NetlinkKernelOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The device given by the operator; without it the default route's device is primary. */
  readonly primaryLink?: DeviceName;
  /** `ip` of iproute2, an absolute path: watches where the kernel grants no large buffer. */
  readonly ipProgram: string;
}

/** The kernel reports twice what it grants; thousands of events fit into this. */
const EVENT_BUFFER_BYTES_MIN = 4 * 1024 * 1024;
const REQUESTS_MAX = 32;
/** Far more than one agent may hold: 8 lanes of 1 000. */
const WAITING_MAX = 20_000;
/** Routes change without an event that is listened to: they are compared this often. */
const KEPT_MS = 10_000;
/** Events of one burst are one "look again". */
const BURST_MS = 5;

/** rtnetlink multicast groups whose messages mean "look again". */
const GROUPS = ["LINK", "IPV4_IFADDR", "IPV6_IFADDR"] as const;

/** Opens the kernel's adapter. Rejects with EdgeError "NOT_AVAILABLE" where it cannot work. */
export async function createNetlinkKernel(options: NetlinkKernelOptions): Promise<Kernel> {
  const { createRtNetlink } = await loadNetlink();
  // Dumps and single requests get a socket each: the package takes an answer that comes amid a
  // dump for its end.
  const open = (): ReturnType<typeof createRtNetlink> =>
    createRtNetlink({
      ref: false,
      ...SOCKET_SIZES,
    });
  const stack = new AsyncDisposableStack();
  const keep = <T extends ReturnType<typeof open>>(rt: T): T =>
    stack.adopt(rt, () => closeSockets(rt.socket));
  const dumps = createKernelDumps(keep(open()));
  const socket = keep(open());
  const requests: Requests = { socket, indexOf: createIndexOf(socket) };
  const inFlight = createInFlight({ runningMax: REQUESTS_MAX, waitingMax: WAITING_MAX });
  const changes = createChanges(options.clock);
  // One dump at a time, whoever asks.
  const dumping = createInFlight({ runningMax: 1, waitingMax: WAITING_MAX });
  const view = oneAtATime(() => dumping.run(look));

  const events = open();
  const hasEvents = events.socket.getRecvBufferSize() >= EVENT_BUFFER_BYTES_MIN;
  // A program that has to be started again misses events.
  const keptMs = hasEvents ? KEPT_MS : 0;
  const kept = createKeptView({
    clock: options.clock,
    look: view,
    keptMs,
    silentPart: defaultRoutes,
  });
  const changed = (): void => {
    kept.outdate();
    changes.poke();
  };
  if (hasEvents) {
    keep(events);
    events.socket.ref();
    events.on("message", changed);
    // A message that cannot be read is still a change.
    events.on("invalid", changed);
    for (const group of GROUPS) events.addMembership(group);
  } else {
    await closeSockets(events.socket);
    stack.use(watchByProgram({ ...options, onChange: changed }));
  }

  const readRoutes = oneAtATime(() => dumping.run(() => dumps.routes()));

  async function look(): Promise<KernelView> {
    try {
      const links = await dumps.links();
      const addresses = await dumps.addresses();
      const isAsked = options.primaryLink === undefined;
      const routes = isAsked ? await dumps.routes() : [];
      const messages = { links, addresses, routes };
      const wireless = await findWireless(defaultDevices(messages));
      return kernelView(messages, { primaryLink: options.primaryLink, wireless });
    } catch (error) {
      throw kernelError(error, "cannot read links and addresses");
    }
  }

  return {
    view,
    lastView: () => kept.last(),
    putAddress: (entry) => inFlight.run(() => putAddress(requests, entry)),
    routeLength: (place) => findLength(requests, readRoutes, place),
    removeAddress: (entry) => inFlight.run(() => removeAddress(requests, entry)),
    onChange: (listener) => changes.listen(listener),
    [Symbol.asyncDispose]: async () => {
      changes.stop();
      await stack.disposeAsync();
    },
  };
}

/** Calls that come while one runs share the next one: what they see is newer than their call. */
function oneAtATime<T>(run: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  let next: Promise<T> | undefined;
  const start = (): Promise<T> => {
    next = undefined;
    const current = run().finally(() => {
      if (running === current) running = undefined;
    });
    running = current;
    return current;
  };
  return () => {
    if (running === undefined) return start();
    next ??= running.then(start, start);
    return next;
  };
}

interface Changes {
  readonly poke: () => void;
  listen(listener: () => void): Disposable;
  stop(): void;
}

function createChanges(clock: Clock): Changes {
  const listeners = new Set<() => void>();
  let timer: Timer | undefined;
  return {
    poke: () => {
      timer ??= clock.setTimer(BURST_MS, () => {
        timer = undefined;
        for (const listener of listeners) listener();
      });
    },
    listen: (listener) => {
      const own = (): void => listener();
      listeners.add(own);
      return { [Symbol.dispose]: () => void listeners.delete(own) };
    },
    stop: () => {
      timer?.cancel();
      listeners.clear();
    },
  };
}
