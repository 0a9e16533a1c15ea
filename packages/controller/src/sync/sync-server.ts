// The controller's end of all agents' streams: plans go down through an outbox an agent, and what
// agents say becomes facts. Given a clock, a log and whom to give the facts to. It decides nothing
// about plans, and holds no state that a restart of the controller could miss.

import { type Server, status } from "@grpc/grpc-js";
import type { AgentHello, AgentName, AgentReport } from "@fairlead/model";
import type { MayStillGet } from "@fairlead/planner";
import { decodeReport, type FromAgent, reportDigest, type Wish } from "@fairlead/wire";

import type { Fact } from "../facts.ts";
import type { LeadOwner, PlanDelivery, SyncState } from "../ports.ts";
import {
  type AgentStream,
  createAgentStream,
  type StreamEnd,
  type SyncCall,
} from "./agent-stream.ts";
import { createNameClashes, type NameClashes } from "./name-clashes.ts";
import {
  EMPTY_OUTBOX,
  outboxContext,
  type OutboxContext,
  type OutboxEvent,
  stepOutbox,
} from "./outbox.ts";
import { newPeer, owedAnswer, type Peer, problemsOf, sentByNow } from "./peer.ts";
import { LEFT, REPLACED, STANDS_BY, STOPPING } from "./stream-ends.ts";
import { countedSync, NO_SYNC_METRICS, type SyncMetrics } from "./sync-metrics.ts";
import type { SyncServerOptions } from "./sync-options.ts";
import { syncStateOf } from "./sync-state.ts";
import { createWaitingRoom, type WaitingRoom } from "./waiting-room.ts";
import { type Delivery, findUnconfirmed, NOTHING_DELIVERED, wantedPlan } from "./wanted-plan.ts";

/** The controller's end of all agents' streams. Disposing ends them; the server stays open. */
export interface SyncServer extends PlanDelivery, AsyncDisposable {
  setLead(whose: LeadOwner): void;
  /**
   * From now on agents are sent nothing but heartbeats, what they say counts for nothing, and no
   * more of them are taken. Their streams stay open, so that they come to the next leader once
   * there may be one, and not before.
   */
  hush(): void;
  /** Adds AgentService to a server, before it is bound. */
  register(server: Pick<Server, "addService">): void;
  /** Whether an agent has what it shall have. */
  syncState(agent: AgentName): SyncState;
}

/** Makes the server's part of the streams; nothing happens before `register`. */
export function createSyncServer(options: SyncServerOptions): SyncServer {
  return new Streams(options);
}

const HEARTBEAT_MS = 3000;
/** Of a heartbeat: an agent waits for who leads. It hears none before it is welcome. */
const WAIT_SHARE = 1 / 2;

class Streams implements SyncServer {
  readonly #options: SyncServerOptions;
  readonly #metrics: SyncMetrics;
  readonly #context: OutboxContext;
  readonly #heartbeatIntervalMs: number;
  readonly #peers = new Map<AgentName, Peer>();
  /** Every open stream, with its agent once that is known. */
  readonly #streams = new Map<AgentStream, AgentName | undefined>();
  #delivered = NOTHING_DELIVERED;
  #epoch = 0;
  #lead: LeadOwner = "anothers";
  /** Agents that said hello while nobody leads. */
  readonly #waiting: WaitingRoom;
  readonly #names: NameClashes;
  #isStopping = false;

  constructor(options: SyncServerOptions) {
    this.#options = options;
    this.#names = createNameClashes({ clock: options.clock, emit: (fact) => this.#emit(fact) });
    this.#metrics = options.metrics ?? NO_SYNC_METRICS;
    this.#context = outboxContext(options.revisions);
    this.#heartbeatIntervalMs = options.heartbeatIntervalMs ?? HEARTBEAT_MS;
    this.#waiting = createWaitingRoom({
      clock: options.clock,
      waitMs: this.#heartbeatIntervalMs * WAIT_SHARE,
      onLate: ({ stream }) => stream.end(STANDS_BY),
    });
  }

  register(server: Pick<Server, "addService">): void {
    const sync = countedSync(this.#metrics);
    server.addService({ sync }, { sync: (call: SyncCall) => this.#open(call) });
  }

  deliver(wanted: Delivery): void {
    if (this.#isStopping) return;
    const { revisions } = this.#options;
    this.#epoch = wanted.epoch;
    this.#delivered = findUnconfirmed(this.#delivered, wanted);
    const { unconfirmed } = this.#delivered;
    for (const [agent, plan] of wanted.plans) {
      const context = { epoch: wanted.epoch, unconfirmed, revisions };
      const previous = this.#peers.get(agent)?.outbox.wanted;
      const next = wantedPlan(plan, context, previous);
      if (next !== previous) this.#step(agent, { kind: "wanted", wanted: next });
    }
    for (const [agent, { stream }] of this.#peers) {
      // Forgotten: it comes back as a new agent. One with a stream came while this was planned.
      if (stream === undefined && !wanted.plans.has(agent)) this.#peers.delete(agent);
    }
  }

  ask(agent: AgentName, wish: Wish): boolean {
    const { stream, hasReported } = this.#peers.get(agent) ?? {};
    if (stream === undefined || hasReported !== true || this.#isStopping) return false;
    stream.send({ kind: "heartbeat", wish });
    return true;
  }

  sentByNow(): MayStillGet {
    return sentByNow(this.#peers);
  }

  setLead(whose: LeadOwner): void {
    const wasOurs = this.#lead === "ours";
    this.#lead = whose;
    if (whose === "ours") {
      for (const { stream, hello, reportDigest: digest } of this.#waiting.empty()) {
        this.#onHello(stream, hello, digest);
      }
      return;
    }
    if (!wasOurs && whose === "nobodys") return;
    for (const stream of this.#streams.keys()) stream.end(STANDS_BY);
    // What agents have and said is told anew to whoever leads next.
    this.#peers.clear();
    this.#delivered = NOTHING_DELIVERED;
    this.#epoch = 0;
  }

  syncState(agent: AgentName): SyncState {
    const outbox = this.#peers.get(agent)?.outbox ?? EMPTY_OUTBOX;
    return syncStateOf(outbox, this.#context.planRevisionOf);
  }

  hush(): void {
    this.#isStopping = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hush();
    this.#names[Symbol.dispose]();
    for (const stream of this.#streams.keys()) stream.end(STOPPING);
    await Promise.resolve();
  }

  #open(call: SyncCall): void {
    const stream = createAgentStream({
      call,
      clock: this.#options.clock,
      heartbeatIntervalMs: this.#heartbeatIntervalMs,
      onHello: (opened, hello, digest) => this.#onHello(opened, hello, digest),
      onMessage: (from, message) => this.#onMessage(from, message),
      onEnd: (ended, end) => this.#onEnd(ended, end),
    });
    this.#streams.set(stream, undefined);
    this.#metrics.streamsOpen(this.#streams.size);
    if (this.#isStopping) stream.end(STOPPING);
    else if (this.#lead === "anothers") stream.end(STANDS_BY);
  }

  #onHello(stream: AgentStream, hello: AgentHello, digest: string | undefined): void {
    const { clock, log, version } = this.#options;
    if (this.#isStopping) return stream.end(STOPPING);
    const isOurs = this.#lead === "ours";
    if (!isOurs) return this.#waiting.add({ stream, hello, reportDigest: digest });
    const peer = this.#peerOf(hello.agent);
    const refused = this.#names.refuse(hello, stream.from, peer);
    if (refused !== undefined) return stream.end(refused);
    const older = peer.stream;
    [peer.stream, peer.hello] = [stream, hello];
    const { report } = peer;
    const known = report !== undefined && reportDigest(report) === digest ? report : undefined;
    peer.hasReported = known !== undefined;
    this.#streams.set(stream, hello.agent);
    older?.end(REPLACED);
    log.info({ agent: hello.agent, version: hello.version }, "agent connected");
    const welcome = {
      epoch: this.#epoch,
      version,
      heartbeatIntervalMs: this.#heartbeatIntervalMs,
      reportKnown: peer.hasReported,
    };
    this.#emit({ kind: "agent-hello", atMs: clock.wallMs(), hello });
    stream.send({ kind: "welcome", welcome });
    if (peer.stream !== stream) return;
    this.#step(hello.agent, { kind: "hello", hello });
    // What was proved then is proved now, and need not come again.
    if (known !== undefined) this.#takeReport(known, false);
  }

  #onMessage(stream: AgentStream, message: Exclude<FromAgent, { kind: "hello" }>): void {
    const agent = this.#streams.get(stream);
    if (agent === undefined || this.#peers.get(agent)?.stream !== stream) return;
    if (this.#isStopping) return;
    switch (message.kind) {
      case "inventory":
        this.#step(agent, message);
        return;
      case "ack":
        if (message.ack.refusal !== undefined) {
          const { refusal } = message.ack;
          this.#metrics.updateRefused(refusal);
          this.#options.log.warn({ agent, refusal }, "the agent refused an update");
        }
        this.#step(agent, message);
        return;
      case "report":
        this.#onReport(stream, agent, message.report);
        return;
      case "leaving":
        stream.end(LEFT);
        return;
      case "heartbeat":
        // Before the first report of its stream it confirms nothing.
        if (this.#peerOf(agent).hasReported) {
          this.#emit({ kind: "agent-heard", atMs: this.#options.clock.wallMs(), agent });
        }
    }
  }

  #onReport(
    stream: AgentStream,
    agent: AgentName,
    message: Extract<FromAgent, { kind: "report" }>["report"],
  ): void {
    const { log } = this.#options;
    const peer = this.#peerOf(agent);
    const decoded = decodeReport(agent, message, peer.hasReported ? peer.report : undefined);
    if (decoded.kind === "refused") {
      log.warn({ agent, detail: decoded.detail }, "the agent's report cannot be read");
      stream.end({ code: status.INVALID_ARGUMENT, detail: decoded.detail });
      return;
    }
    const { report, leftOut } = decoded.value;
    if (leftOut.length > 0) log.warn({ agent, leftOut }, "parts of a report cannot be read");
    peer.report = report;
    peer.hasReported = true;
    this.#takeReport(report, true);
  }

  #takeReport(report: AgentReport, isNew: boolean): void {
    const { agent, planRevision: applied } = report;
    const isFirst = isNew && this.#peerOf(agent).outbox.reported === undefined;
    this.#step(agent, { kind: "reported", applied, problems: problemsOf(report), isNew });
    const atMs = this.#options.clock.wallMs();
    this.#emit({ kind: "agent-report", atMs, report, ...(isFirst ? { isFirst } : {}) });
  }

  #onEnd(stream: AgentStream, end: StreamEnd): void {
    const { clock, log } = this.#options;
    const agent = this.#streams.get(stream);
    this.#streams.delete(stream);
    this.#waiting.leave(stream);
    this.#metrics.streamsOpen(this.#streams.size);
    const peer = agent === undefined ? undefined : this.#peers.get(agent);
    if (agent === undefined || peer?.stream !== stream) return;
    peer.stream = undefined;
    this.#step(agent, { kind: "gone" });
    log.info({ agent, detail: end.detail }, "agent disconnected");
    const how = end === LEFT ? ({ withdrawn: true } as const) : {};
    this.#emit({ kind: "agent-gone", atMs: clock.wallMs(), agent, ...how });
  }

  #step(agent: AgentName, event: OutboxEvent): void {
    const peer = this.#peerOf(agent);
    const { outbox, send } = stepOutbox(peer.outbox, event, this.#context);
    peer.outbox = outbox;
    peer.stream?.expectAnswer(owedAnswer(outbox));
    if (send === undefined) return;
    if (send.kind === "update") this.#metrics.updateSent();
    peer.stream?.send(send);
  }

  #peerOf(agent: AgentName): Peer {
    const known = this.#peers.get(agent);
    if (known !== undefined) return known;
    const peer = newPeer();
    this.#peers.set(agent, peer);
    return peer;
  }

  #emit(fact: Fact): void {
    if (!this.#isStopping) this.#options.emit([fact]);
  }
}
