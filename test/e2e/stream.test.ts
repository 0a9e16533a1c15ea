// Both real ends of the stream over loopback, with everything between them going wrong: plans
// change at any moment, streams break, the controller is replaced by one that knows nothing. In the
// end the agent has what was wanted last, and both say so.

import assert from "node:assert";
import { test } from "node:test";
import { type AcceptedPlan, type ControllerLink, createControllerLink } from "@fairlead/agent";
import { createSyncServer, type SyncServer } from "@fairlead/controller";
import type { AgentReport, NodePlan } from "@fairlead/model";
import { createLogger, createSystemClock, withDeadline } from "@fairlead/runtime";
import { acceptedPlan, agentName, laneOf, listenerOf, vipOf } from "@fairlead/testkit";
import { createRevisions, serverCredentials, serverOptions } from "@fairlead/wire";
import fc from "fast-check";
import { Server } from "@grpc/grpc-js";

const AGENT = agentName("lb1");
const INSECURE = { kind: "insecure" } as const;
const clock = createSystemClock();
const log = createLogger({ level: "silent", format: "json" });
const revisions = createRevisions();
/** How long the two may say nothing before they agree; they need some tens of milliseconds. */
const AGREE_MS = 10_000;

/** The plan with this many Services, `variant` being the port of their members. */
function planOf(services: number, variant: number): NodePlan {
  const lane = laneOf({ routerId: 51 + (variant % 2), order: ["lb1=192.0.2.11"] });
  const all = Array.from({ length: services }, (_, i) => vipOf(`192.0.2.${i + 1}`, lane)).flatMap(
    (vip) => [vip, ...listenerOf(`${vip.address}:80`, [`10.0.0.1:${8000 + variant}`])],
  );
  return acceptedPlan("lb1", [lane, ...all]).plan;
}

/** An agent that serves whatever it accepts, at once. */
class Agent implements AsyncDisposable {
  held: AcceptedPlan | undefined;
  readonly #link: ControllerLink;
  #sequence = 0;

  constructor(address: string, held?: AcceptedPlan) {
    this.held = held;
    this.#link = createControllerLink({
      agent: AGENT,
      addresses: [address],
      credentials: INSECURE,
      clock,
      log,
      revisions,
      random: () => 0.01,
    });
    this.#link.start({
      hello: () => ({
        agent: AGENT,
        bootId: "b",
        version: "1",
        capabilities: [],
        links: [],
        epoch: this.held?.epoch ?? 0,
      }),
      held: () => this.held,
      onPlan: (plan) => {
        this.held = plan;
        this.#link.report(this.#report(plan));
      },
      look: () => Promise.resolve(),
      announce: () => undefined,
      onConnectionChange: () => {},
    });
    if (held !== undefined) this.#link.report(this.#report(held));
  }

  #report(plan: AcceptedPlan): AgentReport {
    this.#sequence += 1;
    const entries = [...plan.revisions].map(
      ([name, revision]) => [name, { name, revision, step: "serving", evidence: [] }] as const,
    );
    return {
      agent: AGENT,
      sequence: this.#sequence,
      epoch: plan.epoch,
      planRevision: plan.revision,
      links: [],
      resources: new Map(entries),
      lanes: [],
      dataPlane: { generationsAlive: 1, keepalivedAlive: true, reloads: this.#sequence },
      remarks: [],
    };
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#link[Symbol.asyncDispose]();
  }
}

/** A controller's end on a port that its successors take over. */
class Controller implements AsyncDisposable {
  readonly sync: SyncServer = createSyncServer({
    clock,
    log,
    revisions,
    version: "0.1.0",
    emit: () => this.#wake(),
  });
  #wake: () => void = () => {};
  readonly #server = new Server(serverOptions());
  readonly epoch: number;

  constructor(epoch: number) {
    this.epoch = epoch;
    this.sync.register(this.#server);
    this.sync.setLead("ours");
  }

  async listen(port: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#server.bindAsync(`127.0.0.1:${port}`, serverCredentials(INSECURE), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
    return promise;
  }

  /** Resolves when something was heard of the agent; rejects when that takes too long. */
  async heard(): Promise<void> {
    const fact = new Promise<void>((resolve) => (this.#wake = resolve));
    await withDeadline(fact, AGREE_MS, clock, "both ends to agree");
  }

  deliver(plan: NodePlan): void {
    this.sync.deliver({ epoch: this.epoch, plans: new Map([[AGENT, plan]]), leases: new Map() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sync[Symbol.asyncDispose]();
    this.#server.forceShutdown();
  }
}

type Command =
  | { readonly kind: "deliver"; readonly services: number; readonly variant: number }
  | { readonly kind: "replace-controller" }
  | { readonly kind: "restart-agent" }
  | { readonly kind: "wait"; readonly ms: number };

const anyDelivery = fc.record({
  kind: fc.constant("deliver" as const),
  services: fc.nat(20),
  variant: fc.nat(5),
});
const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  { arbitrary: anyDelivery, weight: 4 },
  { arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(15) }), weight: 3 },
  fc.constant({ kind: "replace-controller" as const }),
  fc.constant({ kind: "restart-agent" as const }),
);

test("both ends agree in the end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyCommand, { maxLength: 25 }), anyDelivery, runHistory),
    { numRuns: 25 },
  );
});

async function runHistory(
  commands: readonly Command[],
  last: Extract<Command, { kind: "deliver" }>,
): Promise<void> {
  let controller = new Controller(1);
  const port = await controller.listen(0);
  let agent = new Agent(`127.0.0.1:${port}`);
  try {
    for (const command of [...commands, last]) {
      if (command.kind === "deliver") controller.deliver(planOf(command.services, command.variant));
      else if (command.kind === "wait") await clock.sleep(command.ms);
      else if (command.kind === "restart-agent") {
        await agent[Symbol.asyncDispose]();
        agent = new Agent(`127.0.0.1:${port}`, agent.held);
      } else {
        await controller[Symbol.asyncDispose]();
        controller = new Controller(controller.epoch + 1);
        await controller.listen(port);
      }
    }
    await agree(controller, agent, planOf(last.services, last.variant));
  } finally {
    await agent[Symbol.asyncDispose]();
    await controller[Symbol.asyncDispose]();
  }
}

async function agree(controller: Controller, agent: Agent, wanted: NodePlan): Promise<void> {
  while (controller.sync.syncState(AGENT).state !== "in-sync") await controller.heard();
  assert.deepEqual(
    [...(agent.held?.plan.resources.keys() ?? [])].toSorted(),
    [...wanted.resources.keys()].toSorted(),
  );
  const revision = revisions.planRevisionOf(
    [...wanted.resources.values()].map((one) => [one.name, revisions.revisionOf(one)]),
  );
  assert.equal(agent.held?.revision, revision);
}
