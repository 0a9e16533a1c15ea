// A controller's server of streams on real gRPC over loopback, for agents that are played by hand,
// and what these say of themselves. Time is the fake clock's. For tests alone.

import {
  type AgentHello,
  type AgentName,
  type AgentReport,
  type NodePlan,
  parseAgentName,
  present,
  type Revision,
} from "@fairlead/model";
import { createFakeClock, createLogger, type FakeClock } from "@fairlead/runtime";
import { createRevisions, type FromAgent, serverCredentials, serverOptions } from "@fairlead/wire";
import { Server } from "@grpc/grpc-js";

import type { Fact } from "../facts.ts";
import { HandPlayedAgent } from "./hand-played-agent.ts";
import { createSyncServer, type SyncServer } from "./sync-server.ts";

const INSECURE = { kind: "insecure" } as const;
const revisions = createRevisions();

/** The agent of a stage, unless it says otherwise itself. */
export const AGENT: AgentName = present(parseAgentName("lb1"), "an agent's name");

/** The revision that an agent has with all of this plan. */
export function revisionOfPlan(plan: NodePlan): Revision {
  return revisions.planRevisionOf(
    [...plan.resources.values()].map((one) => [one.name, revisions.revisionOf(one)]),
  );
}

/** A hello of an agent that has nothing yet, but for what is given. */
export function helloOf(parts: Partial<AgentHello> = {}): FromAgent & { readonly kind: "hello" } {
  const base = { agent: AGENT, bootId: "b", version: "1", capabilities: [], links: [], epoch: 0 };
  return { kind: "hello", hello: { ...base, ...parts }, reportDigest: undefined };
}

/** A report of an agent that serves all of this plan. */
export function reportOf(plan: NodePlan): AgentReport {
  const entries = [...plan.resources.values()].map((one) => {
    const revision = revisions.revisionOf(one);
    return [one.name, { name: one.name, revision, step: "serving", evidence: [] }] as const;
  });
  return {
    agent: AGENT,
    sequence: 1,
    epoch: 1,
    planRevision: revisionOfPlan(plan),
    links: [],
    resources: new Map(entries),
    lanes: [],
    dataPlane: { generationsAlive: 1, keepalivedAlive: true, reloads: 0 },
    remarks: [],
  };
}

/** A controller's server with agents; disposing ends all. */
export class Stage implements AsyncDisposable {
  readonly clock: FakeClock = createFakeClock();
  readonly facts: Fact[] = [];
  readonly bytes = { sent: 0, received: 0, updates: 0 };
  readonly sync: SyncServer;
  readonly #server = new Server(serverOptions());
  readonly #agents: HandPlayedAgent[] = [];
  #port = 0;
  #wake: () => void = () => {};

  constructor() {
    this.sync = createSyncServer({
      clock: this.clock,
      log: createLogger({ level: "silent", format: "json" }),
      revisions,
      version: "0.1.0",
      emit: (facts) => {
        this.facts.push(...facts);
        this.#wake();
      },
      metrics: {
        streamsOpen: () => {},
        sent: (bytes) => void (this.bytes.sent += bytes),
        received: (bytes) => void (this.bytes.received += bytes),
        updateSent: () => void (this.bytes.updates += 1),
        updateRefused: () => {},
      },
    });
    this.sync.register(this.#server);
    this.sync.setLead("ours");
  }

  async start(): Promise<this> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#server.bindAsync("[::]:0", serverCredentials(INSECURE), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
    this.#port = await promise;
    return this;
  }

  /** `host`: what it reaches the controller at; on loopback it comes from there as well. */
  agent(host = "127.0.0.1"): HandPlayedAgent {
    const agent = new HandPlayedAgent(`${host}:${this.#port}`);
    this.#agents.push(agent);
    return agent;
  }

  deliver(plan: NodePlan, epoch = 1): void {
    this.sync.deliver({ epoch, plans: new Map([[AGENT, plan]]), leases: new Map() });
  }

  /** A plan of a world that does not have the agent. */
  deliverWithoutIt(): void {
    this.sync.deliver({ epoch: 1, plans: new Map(), leases: new Map() });
  }

  /** Waits until so many facts of this kind were emitted. */
  async until(kind: Fact["kind"], count = 1): Promise<void> {
    while (this.facts.filter((fact) => fact.kind === kind).length < count) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents) agent.close();
    await this.sync[Symbol.asyncDispose]();
    this.#server.forceShutdown();
  }
}
