// For tests: the publisher before a cluster in memory, on a fake clock. A test says what the loop
// wants by what became of each Service, and reads what was written as lines.

import {
  type Address,
  type AgentName,
  type AgentView,
  type Claim,
  type ClaimId,
  type LeasedAddress,
  parseAddress,
  parseAgentName,
  parsePoolName,
  present,
  type Reason,
  type Remark,
  type Verdict,
} from "@fairlead/model";
import { type Clock, createFakeClock, type FakeClock } from "@fairlead/runtime";

import { MemoryCluster } from "../../kube/memory-cluster.ts";
import type { Publisher } from "../../ports.ts";
import { oursOf, sampleService } from "../../sources/sample-objects.ts";
import { createKubePublisher, type KubePublisherOptions } from "./kube-publisher.ts";
import { troubleLine, writeLine } from "./publish-lines.ts";
import { STAGE_LANE, TrackedMoves } from "./tracked-moves.ts";

/** What the loop says of a claim; the rest follows. */
export interface Fate {
  readonly state: Verdict["state"];
  readonly address?: string;
  readonly holder?: string;
  /** Why it is pending or refused. */
  readonly main?: Remark;
  /** Whether it has its address though not as it asks for, which `main` tells. */
  readonly unmet?: boolean;
  readonly memberless?: boolean;
  /** Whether its address is to stand in spec.externalIPs too. */
  readonly external?: boolean;
}

/** Leased, and proved by its holder. */
export function served(address = "192.0.2.10", holder = "lb-1"): Fate {
  return { state: "ready", address, holder };
}

/** Leased, and nobody has proved it yet. */
export function leased(address = "192.0.2.10"): Fate {
  const main = { reason: "WaitingForAgent", detail: "no agent has proved yet" } as const;
  return { state: "pending", address, main };
}

/** Neither leased nor refused. */
export function waiting(reason: Reason, detail = "as the test says"): Fate {
  return { state: "pending", main: { reason, detail } };
}

/** Not served. */
export function refused(reason: Reason, detail = "as the test says"): Fate {
  return { state: "refused", main: { reason, detail } };
}

/** An address of a text that is one. */
export function addressOf(text: string): Address {
  return present(parseAddress(text), `${text} is an address`);
}

/** An agent's name of a text that is one. */
export function agentOf(text: string): AgentName {
  return present(parseAgentName(text), `${text} is an agent's name`);
}

type Options = Partial<KubePublisherOptions>;

/** A cluster with a publisher, which a test can end and start anew. */
export class PublishStage {
  readonly clock: FakeClock = createFakeClock();
  readonly cluster: MemoryCluster = new MemoryCluster(this.clock);
  /** Findings as they were said: `+ REASON NAME: DETAIL`, `- NAME`. */
  readonly troubles: string[] = [];
  /** `KIND RESULT` of every write. */
  readonly results: string[] = [];
  dropped = 0;
  /** Addresses of nodes; undefined: nobody knows them. */
  nodes: ReadonlySet<string> | undefined = new Set();
  /** Whether the publisher asked for them. */
  isFollowingNodes = false;
  /** Tells the publisher that they are others. */
  tellNodes: () => void = () => undefined;
  readonly agents: Map<AgentName, AgentView> = new Map();
  readonly moves: TrackedMoves = new TrackedMoves();
  readonly #claims = new Map<ClaimId, Claim>();
  readonly #verdicts = new Map<ClaimId, Verdict>();
  readonly #leases = new Map<Address, LeasedAddress>();
  readonly #more: Options;
  readonly #publisherClock: Clock;
  #publisher: Publisher & AsyncDisposable;

  /** `clockOf`: the clock that the publisher reads. Default: the one that the test moves. */
  constructor(clockOf: (clock: FakeClock) => Clock = (clock) => clock, more: Options = {}) {
    this.#more = more;
    this.#publisherClock = clockOf(this.clock);
    this.#publisher = this.#start();
  }

  /** Makes a Service and wants this of it. */
  create(title: string, fate: Fate, type = "LoadBalancer"): void {
    this.cluster.create(title, { type });
    this.want(title, fate);
  }

  /** What the loop wants from now on of a Service that is there; not yet published. */
  want(title: string, fate: Fate, generation = 0): void {
    const record = present(this.cluster.record(title), `${title} is there`);
    const { namespace, name, uid } = record;
    const external = fate.external === true ? { writesExternalIPs: true as const } : {};
    const metadata = { namespace, name, uid, generation };
    const claim = { ...oursOf([sampleService({}, metadata)]), ...external };
    const verdict = fateVerdict(claim, fate);
    this.#claims.set(claim.id, claim);
    this.#verdicts.set(claim.id, verdict);
    for (const { address, published } of verdict.addresses) {
      this.#leases.set(address, leaseOf(claim, address, published));
    }
  }

  /** The claim ends; agents still have its addresses. */
  end(title: string): void {
    const claim = present(
      [...this.#claims.values()].find(({ namespace, name }) => isTitle(title, namespace, name)),
      `${title} asks for something`,
    );
    this.#claims.delete(claim.id);
    this.#verdicts.delete(claim.id);
    for (const [address, lease] of this.#leases) {
      if (!lease.owners.some((owner) => owner.claim === claim.id)) continue;
      const state = { kind: "draining", sinceMs: 0 } as const;
      this.#leases.set(address, { ...lease, owners: [], lastClaim: claim.id, state });
    }
  }

  /** No agent has the address any more. */
  free(text: string): void {
    const address = addressOf(text);
    const lease = present(this.#leases.get(address), `${text} is leased`);
    this.#leases.set(address, { ...lease, state: { kind: "quarantined", untilMs: 0 } });
  }

  /** An absent owner: the lease stays, and no source shows its claim. */
  lose(title: string): void {
    const found = [...this.#claims.values()].find((one) => isTitle(title, one.namespace, one.name));
    const { id } = present(found, `${title} asks for something`);
    this.#claims.delete(id);
    this.#verdicts.delete(id);
  }

  /** Says all that is wanted, as the loop does after a cycle. */
  publish(): void {
    const said = {
      claims: new Map(this.#claims),
      verdicts: new Map(this.#verdicts),
      leases: new Map(this.#leases),
      agents: new Map(this.agents),
    };
    const moves = this.moves.track(said, this.clock.nowMs());
    void this.#publisher.publish({ ...said, moves, intents: [], findings: [] });
  }

  /** Publishes, and lets some time pass. */
  async pass(ms = 1000): Promise<void> {
    // What was just made has to be seen before it can be wanted.
    await this.clock.advance(2);
    this.publish();
    await this.clock.advance(ms);
  }

  /** Another controller speaks from now on. */
  pause(): void {
    this.#publisher.pause?.();
    this.moves.forget();
  }

  /** Another life of the controller, in whose store that agent holds the lane; default: nobody. */
  async restart(holder?: string): Promise<void> {
    await this.#publisher[Symbol.asyncDispose]();
    this.moves.forget(holder === undefined ? undefined : agentOf(holder));
    this.#publisher = this.#start();
  }

  /** Every write since the last call, one a line. */
  wrote(): readonly string[] {
    return this.cluster.writes.splice(0).map(writeLine);
  }

  /** Addresses in the status. */
  shows(title: string): readonly string[] {
    return this.cluster.record(title)?.ingress.map(({ ip }) => ip ?? "") ?? [];
  }

  /** A condition as `Status Reason`. */
  condition(title: string, type: string): string | undefined {
    const found = this.cluster
      .record(title)
      ?.conditions.find((one) => one.type.endsWith(`/${type}`));
    return found && `${found.status} ${found.reason}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#publisher[Symbol.asyncDispose]();
  }

  #start(): Publisher & AsyncDisposable {
    return createKubePublisher({
      client: this.cluster.client,
      clock: this.#publisherClock,
      random: () => 0.5,
      book: {
        ...this.cluster.book,
        nodeAddresses: () => this.nodes,
        followNodes: () => void (this.isFollowingNodes = true),
        subscribeNodes: (onChange) => {
          this.tellNodes = onChange;
          return () => undefined;
        },
      },
      instance: "controller-0",
      onTrouble: (trouble) => this.troubles.push(troubleLine(trouble)),
      onWrite: (kind, result) => this.results.push(`${kind} ${result}`),
      onDropped: () => {
        this.dropped += 1;
      },
      ...this.#more,
    });
  }
}

function isTitle(title: string, namespace: string, name: string): boolean {
  return title === name || title === `${namespace}/${name}`;
}

function leaseOf(claim: Claim, address: Address, published: boolean): LeasedAddress {
  return {
    address,
    pool: present(parsePoolName("default"), "a pool's name"),
    owners: [{ claim: claim.id, uid: claim.uid, ports: [] }],
    lastClaim: claim.id,
    placement: { kind: "lane", lane: STAGE_LANE },
    sentTo: [],
    state: { kind: "held" },
    published,
    sinceMs: 0,
  };
}

const NO_MEMBERS = { reason: "NoMembers", detail: "80/TCP has no member" } as const;

/** The verdict on a claim that follows from its fate. */
export function fateVerdict(
  claim: Claim,
  { state, address, holder, main, unmet, memberless }: Fate,
): Verdict {
  const why = main ?? NO_MEMBERS;
  const not = { status: "False", reason: why.reason, message: `${why.detail}.` } as const;
  const ready = { type: "MembersReady" } as const;
  const lack = memberless === true ? NO_MEMBERS : undefined;
  return {
    claim: claim.id,
    uid: claim.uid,
    generation: claim.generation,
    state,
    ...(main === undefined ? (lack === undefined ? {} : { main: lack }) : { main }),
    addresses:
      address === undefined
        ? []
        : [
            {
              address: addressOf(address),
              published: state === "ready",
              ...(holder === undefined ? {} : { holder: agentOf(holder) }),
            },
          ],
    conditions: [
      address === undefined
        ? { type: "AddressAllocated", ...not }
        : {
            type: "AddressAllocated",
            status: "True",
            reason: unmet === true ? why.reason : "Allocated",
            message: `${address} is allocated${unmet === true ? `, but ${why.detail}` : ""}.`,
          },
      state === "ready"
        ? { type: "Serving", status: "True", reason: "Proved", message: `${holder} holds it.` }
        : { type: "Serving", ...not },
      lack === undefined
        ? { ...ready, status: "True", reason: "Ready", message: "80/TCP has 2 members." }
        : { ...ready, status: "False", reason: "NoMembers", message: `${lack.detail}.` },
    ],
    remarks: [],
  };
}
