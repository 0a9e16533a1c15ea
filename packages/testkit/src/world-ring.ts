// Worlds that go on by plans, for stories of several plans: agents prove what they were sent, and
// what each claim holds is told in lines. Given how to plan.

import nodeAssert from "node:assert/strict";

import {
  type AddressPool,
  type Claim,
  compareAddress,
  type Plan,
  type World,
} from "@fairlead/model";

import { makeClaim, makeWorld, nextWorld, type WorldOptions } from "./builders.ts";
import { makeRevisionOf, type Planning, proveAll } from "./plan-answers.ts";

const revisionOf = makeRevisionOf();

/** A world that goes on by plans. */
export class WorldRing {
  world: World;
  planned: Plan;
  readonly #plan: Planning;

  constructor(world: World, planning: Planning) {
    this.world = world;
    this.#plan = planning;
    this.planned = planning(world, { revisionOf });
  }

  /** The next plan, after a change; agents have proved the last one unless they are silent. */
  next(changes: WorldOptions = {}, isSilent = false): this {
    const agents = isSilent
      ? [...this.world.agents.values()]
      : proveAll(nextWorld(this.world, this.planned), this.planned);
    this.world = nextWorld(this.world, this.planned, { agents, ...changes });
    this.planned = this.#plan(this.world, { revisionOf });
    return this;
  }

  /** The next plan, with these pools. */
  edit(...pools: readonly AddressPool[]): this {
    return this.next({ pools });
  }

  /** `a: 192.0.2.100 192.0.2.101*`: what each holds, a star where it is published. */
  held(): readonly string[] {
    const lines = new Map<string, string[]>();
    const rows = [...this.planned.leases.values()].toSorted((x, y) =>
      compareAddress(x.address, y.address),
    );
    for (const { address, owners, published } of rows) {
      for (const { claim } of owners) {
        const name = claim.split("/").at(-1) ?? "";
        lines.set(name, [...(lines.get(name) ?? []), `${address}${published ? "*" : ""}`]);
      }
    }
    return [...lines].map(([name, all]) => `${name}: ${all.join(" ")}`).toSorted();
  }

  /** `lan PoolOverlap: ...`: what is found about pools. */
  findings(): readonly string[] {
    return this.planned.findings
      .filter(({ subject }) => subject === "pool")
      .map(({ name, reason, detail }) => `${name} ${reason}: ${detail}`);
  }
}

/** Three Services of one port, from the oldest to the newest. */
export const THREE_CLAIMS: readonly Claim[] = [
  makeClaim("a", { createdAtMs: 1 }),
  makeClaim("b", { createdAtMs: 2 }),
  makeClaim("c", { createdAtMs: 3 }),
];

/** A ring in which a, b and c are served by a pool that gives addresses from 192.0.2.100 on. */
export function servedRing(pool: AddressPool, planning: Planning): WorldRing {
  const ring = new WorldRing(makeWorld({ claims: THREE_CLAIMS, pools: [pool] }), planning).next();
  nodeAssert.deepEqual(ring.held(), ["a: 192.0.2.100*", "b: 192.0.2.101*", "c: 192.0.2.102*"]);
  return ring;
}
