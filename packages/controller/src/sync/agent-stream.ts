// One stream of one agent on the controller's side: reads, writes, keeps the heartbeat, and ends.
// Given the call of grpc-js and whom to tell. It knows nothing of plans.

import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import type { AgentHello } from "@fairlead/model";
import type { Clock, Timer } from "@fairlead/runtime";
import {
  createHeartbeat,
  decodeFromAgent,
  encodeToAgent,
  type FromAgent,
  type Heartbeat,
  type SyncRequest,
  type SyncResponse,
  type ToAgent,
} from "@fairlead/wire";

/** The call as grpc-js hands it over. */
export type SyncCall = ServerDuplexStream<SyncRequest, SyncResponse>;

/** Why a stream ended, lower case, and the status that the agent is told. */
export interface StreamEnd {
  readonly code: status;
  readonly detail: string;
}

/** What a stream needs. */
export interface AgentStreamOptions {
  readonly call: SyncCall;
  readonly clock: Clock;
  readonly heartbeatIntervalMs: number;
  /** The first message; no other comes before it. */
  readonly onHello: (
    stream: AgentStream,
    hello: AgentHello,
    reportDigest: string | undefined,
  ) => void;
  /** Every later message. */
  readonly onMessage: (stream: AgentStream, message: Exclude<FromAgent, { kind: "hello" }>) => void;
  /** Once, whoever ended it. */
  readonly onEnd: (stream: AgentStream, end: StreamEnd) => void;
}

/** One open stream. */
export interface AgentStream {
  send(message: ToAgent): void;
  /**
   * Names the answer that the agent owes, undefined for none. It has three heartbeats to come; the
   * same name again does not give it more.
   */
  expectAnswer(answer: string | undefined): void;
  /** The host that it comes from. */
  readonly from: string;
  /** Ends the stream with this status. Does nothing when it has ended. */
  end(end: StreamEnd): void;
}

/** Heartbeats for which hello, an answer, or room to write is waited for. */
const PATIENCE_INTERVALS = 3;

/** Attaches to a call. Everything is attached before this returns: an unread stream piles up. */
export function createAgentStream(options: AgentStreamOptions): AgentStream {
  return new Stream(options);
}

class Stream implements AgentStream {
  readonly from: string;
  readonly #options: AgentStreamOptions;
  readonly #heartbeat: Heartbeat;
  #hasHello = false;
  #hasEnded = false;
  #isBlocked = false;
  #answer: { readonly name: string; readonly timer: Timer } | undefined;
  #room: Timer | undefined;

  constructor(options: AgentStreamOptions) {
    const { call, clock, heartbeatIntervalMs } = options;
    this.#options = options;
    // A listener for both families has those of IPv4 as addresses of IPv6.
    this.from = call
      .getPeer()
      .replace(/:\d+$/u, "")
      .replace(/^::ffff:/u, "");
    this.#heartbeat = createHeartbeat({
      clock,
      intervalMs: heartbeatIntervalMs,
      // While the agent takes nothing, another message would only lie in memory.
      beat: () => {
        if (!this.#isBlocked) this.send({ kind: "heartbeat", wish: undefined });
      },
      onSilence: () =>
        this.end({ code: status.DEADLINE_EXCEEDED, detail: "nothing was heard of the agent" }),
    });
    call.on("data", (message: SyncRequest) => this.#read(message));
    call.on("drain", () => this.#onDrain());
    call.on("end", () => this.end({ code: status.OK, detail: "the agent ended the stream" }));
    call.on("cancelled", () => this.#close({ code: status.CANCELLED, detail: "the stream broke" }));
    call.on("close", () => this.#close({ code: status.CANCELLED, detail: "the stream closed" }));
    call.on("error", (error: Error) =>
      this.#close({ code: status.INTERNAL, detail: error.message }),
    );
    this.expectAnswer("hello");
  }

  send(message: ToAgent): void {
    const { call } = this.#options;
    if (this.#hasEnded || !call.writable) return;
    this.#heartbeat.said();
    // What may be written while blocked is bounded: one update is in flight, one question asked.
    if (!call.write(encodeToAgent(message))) this.#onBlocked();
  }

  expectAnswer(name: string | undefined): void {
    if (name === this.#answer?.name || this.#hasEnded) return;
    this.#answer?.timer.cancel();
    const timer = name === undefined ? undefined : this.#patience(`the agent owes ${name}`);
    this.#answer = name === undefined || timer === undefined ? undefined : { name, timer };
  }

  end(end: StreamEnd): void {
    if (this.#hasEnded) return;
    const { call } = this.#options;
    this.#close(end);
    if (end.code === status.OK) call.end();
    // The way in which grpc-js takes a status from the handler of a stream.
    else call.emit("error", Object.assign(new Error(end.detail), { ...end, details: end.detail }));
  }

  #read(raw: SyncRequest): void {
    if (this.#hasEnded) return;
    this.#heartbeat.heard();
    const decoded = decodeFromAgent(raw);
    if (decoded.kind === "refused") {
      this.end({ code: status.INVALID_ARGUMENT, detail: decoded.detail });
      return;
    }
    const message = decoded.value;
    if ((message.kind === "hello") === this.#hasHello) {
      this.end({ code: status.INVALID_ARGUMENT, detail: "hello comes first, and once" });
      return;
    }
    if (message.kind !== "hello") {
      this.#options.onMessage(this, message);
      return;
    }
    this.#hasHello = true;
    this.expectAnswer(undefined);
    this.#options.onHello(this, message.hello, message.reportDigest);
  }

  #onBlocked(): void {
    if (this.#isBlocked) return;
    this.#isBlocked = true;
    this.#room = this.#patience("the agent does not read");
  }

  #onDrain(): void {
    this.#isBlocked = false;
    this.#room?.cancel();
  }

  #patience(detail: string): Timer {
    const { clock, heartbeatIntervalMs } = this.#options;
    return clock.setTimer(PATIENCE_INTERVALS * heartbeatIntervalMs, () =>
      this.end({ code: status.DEADLINE_EXCEEDED, detail }),
    );
  }

  #close(end: StreamEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#heartbeat[Symbol.dispose]();
    this.#answer?.timer.cancel();
    this.#room?.cancel();
    this.#options.onEnd(this, end);
  }
}
