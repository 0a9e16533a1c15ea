// One stream to the controller, from the call to its end: reads, writes, keeps the heartbeat. Given
// an address and whom to tell. It knows nothing of plans, and never tries again by itself.

import { status } from "@grpc/grpc-js";
import type { AgentHello } from "@fairlead/model";
import type { Clock, Timer } from "@fairlead/runtime";
import {
  callTrouble,
  createHeartbeat,
  decodeFromController,
  encodeFromAgent,
  type FromAgent,
  type FromController,
  type Heartbeat,
  type SyncResponse,
  type Welcome,
} from "@fairlead/wire";

import type { Dial, DialedCall, DialEvents } from "./dial.ts";

/** How a stream ended, for the log. */
export interface StreamEnd {
  /** The status of gRPC, `UNKNOWN` where it gave none. */
  readonly status: string;
  /** Lower case. */
  readonly detail: string;
}

/** What the controller says after its welcome, and has to be answered or obeyed. */
export type AfterWelcome = Exclude<FromController, { kind: "welcome" }>;

/** What a stream needs. */
export interface ControllerStreamOptions {
  /** Opens the call; asked once. */
  readonly dial: Dial;
  readonly clock: Clock;
  readonly hello: AgentHello;
  /** Of the last report that this process sent, on an earlier stream. */
  readonly reportDigest: string | undefined;
  readonly onWelcome: (welcome: Welcome) => void;
  readonly onMessage: (message: AfterWelcome) => void;
  /** There is room to write again. */
  readonly onWritable: () => void;
  /** Once, whoever ended it; never before the factory has returned. */
  readonly onEnd: (end: StreamEnd) => void;
}

/** One stream; disposing ends it. */
export interface ControllerStream extends Disposable {
  /** Writes a message. Answers may be written always; reports only while `isWritable`. */
  send(message: FromAgent): void;
  readonly isWritable: boolean;
  /** Says as the last word that this agent leaves, and waits until the stream has ended. */
  leave(): Promise<void>;
}

/** How long connecting and the controller's welcome may take together. */
const WELCOME_MS = 10_000;
/** Heartbeats for which room to write is waited for. */
const PATIENCE_INTERVALS = 3;
/** How long the controller may take to end a stream that this agent leaves. */
const LEAVE_MS_MAX = 900;

/** Connects, says hello, and reads. */
export function openControllerStream(options: ControllerStreamOptions): ControllerStream {
  return new Stream(options);
}

class Stream implements ControllerStream {
  readonly #options: ControllerStreamOptions;
  readonly #call: DialedCall;
  #welcome: Welcome | undefined;
  #heartbeat: Heartbeat | undefined;
  #deadline: Timer | undefined;
  #isWritable = true;
  #hasEnded = false;
  #isLeaving = false;
  readonly #ended = Promise.withResolvers<void>();

  constructor(options: ControllerStreamOptions) {
    this.#options = options;
    this.#call = options.dial({
      onMessage: (message) => this.#read(message),
      onError: (error) => this.#end(endOf(error)),
      onEnd: () => this.#end({ status: "OK", detail: "the controller ended it" }),
      onDrain: () => this.#onDrain(),
    });
    this.#deadline = this.#endAfter(WELCOME_MS, "the controller did not answer");
    const { hello, reportDigest } = options;
    this.send({ kind: "hello", hello, reportDigest });
  }

  get isWritable(): boolean {
    const isOpen = this.#welcome !== undefined && !this.#isLeaving && !this.#hasEnded;
    return this.#isWritable && isOpen;
  }

  send(message: FromAgent): void {
    if (this.#hasEnded) return;
    this.#heartbeat?.said();
    if (this.#call.write(encodeFromAgent(message)) || this.#welcome === undefined) return;
    if (!this.#isWritable) return;
    this.#isWritable = false;
    const patienceMs = PATIENCE_INTERVALS * this.#welcome.heartbeatIntervalMs;
    this.#deadline = this.#endAfter(patienceMs, "the controller does not read");
  }

  async leave(): Promise<void> {
    if (this.#hasEnded || this.#welcome === undefined) return;
    this.send({ kind: "leaving" });
    this.#isLeaving = true;
    this.#heartbeat?.[Symbol.dispose]();
    this.#deadline?.cancel();
    this.#deadline = this.#endAfter(
      LEAVE_MS_MAX,
      "the controller did not hear that this agent left",
    );
    await this.#ended.promise;
  }

  [Symbol.dispose](): void {
    this.#end({ status: "OK", detail: "ended by this agent" });
  }

  #read(raw: SyncResponse): void {
    if (this.#hasEnded || this.#isLeaving) return;
    this.#heartbeat?.heard();
    const decoded = decodeFromController(raw);
    if (decoded.kind === "refused") {
      this.#end({ status: "INVALID_ARGUMENT", detail: decoded.detail });
      return;
    }
    const message = decoded.value;
    if ((message.kind === "welcome") !== (this.#welcome === undefined)) {
      this.#end({ status: "INVALID_ARGUMENT", detail: "welcome comes first, and once" });
      return;
    }
    if (message.kind === "welcome") this.#onWelcome(message.welcome);
    else if (!isBare(message)) this.#options.onMessage(message);
  }

  #onWelcome(welcome: Welcome): void {
    this.#welcome = welcome;
    this.#deadline?.cancel();
    this.#heartbeat = createHeartbeat({
      clock: this.#options.clock,
      intervalMs: welcome.heartbeatIntervalMs,
      beat: () => {
        if (this.#isWritable) this.send({ kind: "heartbeat" });
      },
      onSilence: () =>
        this.#end({ status: "DEADLINE_EXCEEDED", detail: "nothing was heard of the controller" }),
    });
    this.#options.onWelcome(welcome);
  }

  #onDrain(): void {
    if (this.#hasEnded || this.#isWritable) return;
    this.#isWritable = true;
    this.#deadline?.cancel();
    this.#options.onWritable();
  }

  #endAfter(delayMs: number, detail: string): Timer {
    return this.#options.clock.setTimer(delayMs, () =>
      this.#end({ status: "DEADLINE_EXCEEDED", detail }),
    );
  }

  #end(end: StreamEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#deadline?.cancel();
    this.#heartbeat?.[Symbol.dispose]();
    this.#call.close();
    queueMicrotask(() => this.#options.onEnd(end));
    this.#ended.resolve();
  }
}

/** The words of grpc-js for a port where no controller is carry dates: no two would be the same. */
function endOf({ code, details, message }: Parameters<DialEvents["onError"]>[0]): StreamEnd {
  const said = { status: statusName(code), detail: details ?? message };
  if (code !== status.UNAVAILABLE && code !== status.UNIMPLEMENTED) return said;
  const { kind, why } = callTrouble({ code, details: said.detail });
  return { ...said, detail: kind === "somebody-else" ? `${why}; ${PORT_WORDS}` : why };
}

const PORT_WORDS = "name the port of the controller's --listen-agents, which is 7702 by default";

function statusName(code: number | undefined): string {
  return code === undefined ? "UNKNOWN" : (status[code] ?? "UNKNOWN");
}

/** A heartbeat that says no more than that the controller lives. */
function isBare(message: AfterWelcome): boolean {
  return message.kind === "heartbeat" && message.wish === undefined;
}
