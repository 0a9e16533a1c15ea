// The routes of the service networks: they lead to the host itself, so that nginx may connect from
// and to their addresses; without them each connection to members is refused. Written by the
// program `ip` and looked for by single questions over netlink: a full table of a router costs
// nothing, and neither does a host that has them. Others may take them away at any time.

import type { Family, Remark } from "@fairlead/model";
import type { ServiceRange, ServiceRanges } from "@fairlead/render";
import {
  type Clock,
  EdgeError,
  type Logger,
  describeError,
  runProgram,
  createTurns,
  type Turns,
} from "@fairlead/runtime";

import type { ServiceRoutes, Unrouted } from "../member-ports.ts";
import { type RouteSight, createRouteSight } from "./route-sight.ts";

/** What the routes are made of. */
export interface ServiceRoutesOptions {
  /** `ip` of iproute2, an absolute path. */
  readonly ip: string;
  readonly ranges: ServiceRanges;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Why a route could not be written. */
export type ServiceRoutesErrorCode = "ROUTE";

/** Marks our routes (rtnetlink(7): who installed it); a number that nobody was given. */
const ROUTE_MARK = "157";
const IP_MS_MAX = 30_000;
const WORDS_BYTES_MAX = 16_384;
/** What could not be put back is tried again after this long, in ms. */
const AGAIN_MS = 1000;

/**
 * Writes the routes and looks after them from then on. Rejects with
 * EdgeError<ServiceRoutesErrorCode>, or with that of netlink.
 */
export async function createServiceRoutes(options: ServiceRoutesOptions): Promise<ServiceRoutes> {
  await writeRoutes(options);
  return new Routes(options, await createRouteSight());
}

/** Removes the routes. Rejects with EdgeError<ServiceRoutesErrorCode>. */
export async function forgetRoutes(ip: string): Promise<void> {
  for (const family of ["-4", "-6"]) {
    await runIp(ip, [family, "route", "flush", "table", "local", "proto", ROUTE_MARK]);
  }
}

class Routes implements ServiceRoutes {
  readonly #options: ServiceRoutesOptions;
  readonly #sight: RouteSight;
  readonly #targets: readonly (readonly [Family, ServiceRange])[];
  readonly #inTurn: Turns = createTurns();
  /** What was said last: the same again is the same object. */
  #unrouted: readonly Unrouted[] = [];
  #againMs = Number.NEGATIVE_INFINITY;

  constructor(options: ServiceRoutesOptions, sight: RouteSight) {
    this.#options = options;
    this.#sight = sight;
    const { ipv4, ipv6 } = options.ranges;
    this.#targets = [["ipv4", ipv4], ...(ipv6 === undefined ? [] : [["ipv6", ipv6] as const])];
  }

  unrouted(): Promise<readonly Unrouted[]> {
    return this.#inTurn(async () => {
      const nowMs = this.#options.clock.nowMs();
      let missing = await this.#missing();
      if (missing.length > 0 && nowMs >= this.#againMs) {
        const trouble = await this.#putBack(missing);
        missing = await this.#missing();
        const isBack = missing.length === 0;
        this.#againMs = isBack ? Number.NEGATIVE_INFINITY : nowMs + AGAIN_MS;
        if (!isBack) this.#say(missing, trouble);
      }
      if (missing.length === 0 && this.#unrouted.length > 0) this.#unrouted = [];
      return this.#unrouted;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inTurn(() => Promise.resolve());
    await this.#sight[Symbol.asyncDispose]();
  }

  /**
   * Where the kernel does not answer nothing is known, and nothing is news. All is asked at once:
   * a host is looked at every second, and waking up costs more than the question.
   */
  async #missing(): Promise<readonly Family[]> {
    try {
      const [isUp, ...leads] = await Promise.all([
        this.#sight.isLoopbackUp(),
        ...this.#targets.map(([, { target }]) => this.#sight.leadsHere(target)),
      ]);
      const isThere = (at: number): boolean => isUp && leads[at] === true;
      return this.#targets.flatMap(([family], at) => (isThere(at) ? [] : [family]));
    } catch {
      return this.#unrouted.map(({ family }) => family);
    }
  }

  async #putBack(missing: readonly Family[]): Promise<string | undefined> {
    if (this.#unrouted.length === 0) {
      const what = "the service networks are routed anew: somebody removed their routes";
      this.#options.logger.warn({ missing }, what);
    }
    try {
      await writeRoutes(this.#options);
      return undefined;
    } catch (error) {
      return describeError(error);
    }
  }

  #say(missing: readonly Family[], trouble = "another route comes before"): void {
    const unrouted = this.#targets
      .filter(([family]) => missing.includes(family))
      .map(([family, { network }]) => ({ family, remark: remarkOf(network, trouble) }));
    if (JSON.stringify(unrouted) === JSON.stringify(this.#unrouted)) return;
    this.#unrouted = unrouted;
    this.#options.logger.error({ missing, trouble }, "the service networks cannot be routed");
  }
}

function remarkOf(network: string, trouble: string): Remark {
  const detail = `no member is reached: ${network} is not routed to lo: ${trouble}`;
  return { reason: "DataPlaneDown", detail };
}

/** Local, so that a socket may be bound to any of them and an unknown slot is refused at once. */
async function writeRoutes({ ip, ranges: { ipv4, ipv6 } }: ServiceRoutesOptions): Promise<void> {
  await runIp(ip, ["link", "set", "lo", "up"]);
  await runIp(ip, ["-4", ...routeTo(ipv4.network)]);
  if (ipv6 !== undefined) await runIp(ip, ["-6", ...routeTo(ipv6.network)]);
}

function routeTo(network: string): readonly string[] {
  return ["route", "replace", "local", network, "dev", "lo", "proto", ROUTE_MARK];
}

async function runIp(ip: string, args: readonly string[]): Promise<void> {
  const limits = { timeoutMs: IP_MS_MAX, maxOutputBytes: WORDS_BYTES_MAX };
  const { code, stderr } = await runProgram({ command: ip, args, ...limits });
  if (code === 0) return;
  const [line = ""] = stderr.trim().split("\n");
  const message = `ip ${args.join(" ")}: ${line}`;
  throw new EdgeError<ServiceRoutesErrorCode>({ code: "ROUTE", message, retryable: true });
}
