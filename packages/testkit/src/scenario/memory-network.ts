// The network between agents and the controller, in memory: calls carry the contract's real bytes,
// in order, a millisecond each way. A cut holds back what is said until it heals, as TCP does after
// a pulled cable; a reset breaks a call at both ends. What is said to a controller that hangs waits
// there for it. It knows nothing of plans.

import { EventEmitter } from "node:events";

import type { Dial, DialedCall, DialEvents } from "@fairlead/agent";
import type { SyncServer } from "@fairlead/controller";
import type { Clock } from "@fairlead/runtime";
import { AgentService, serviceDefinition, type SyncResponse } from "@fairlead/wire";

import { createToldChanges, type ToldChanges } from "./told-changes.ts";
import { createUnheard, type Unheard } from "./unheard.ts";

/** One way, in ms. */
const LATENCY_MS = 1;
/** A dial that nobody answers fails after this long, in ms. */
const DIAL_MS = 3000;
/** UNAVAILABLE of gRPC. */
const UNAVAILABLE = 14;

type Server = Parameters<SyncServer["register"]>[0];
type Implementation = Parameters<Server["addService"]>[1];
type Handler = (call: unknown) => void;

/** The network of one stage. */
export interface MemoryNetwork {
  /** How an agent reaches the controller. */
  dial(agent: string): Dial;
  /** Takes a controller's service; calls reach it from here on. */
  serve(sync: SyncServer): void;
  /** A controller's process is gone: its calls break, and dials are refused while there is none. */
  stopServing(sync: SyncServer): void;
  /** Controllers that hang. */
  readonly unheard: Unheard<SyncServer>;
  /** What the controller that is served told agents to change. */
  readonly told: ToldChanges;
  /** Everything to and from this agent takes so much longer, in ms, and stays in its order. */
  delay(agent: string, ms: number): void;
  /** Nothing passes between this agent and the controller, and nobody is told. */
  cut(agent: string): void;
  heal(agent: string): void;
  /** Breaks the agent's calls at both ends. */
  reset(agent: string): void;
}

/** Makes a network without a controller. */
export function createMemoryNetwork(options: {
  readonly clock: Clock;
  /** Whether the next message breaks its call. */
  readonly breaks: () => boolean;
}): MemoryNetwork {
  return new Network(options.clock, options.breaks);
}

class Network implements MemoryNetwork {
  readonly #clock: Clock;
  readonly #breaks: () => boolean;
  /** What waits for the end of a cut, by agent. */
  readonly #cuts = new Map<string, (() => void)[]>();
  readonly #calls = new Set<Call>();
  /** What each agent's messages wait beside their way, and until when the last one is under way. */
  readonly #delays = new Map<string, number>();
  readonly #dueMs = new Map<string, number>();
  readonly unheard: Unheard<SyncServer> = createUnheard();
  readonly told: ToldChanges = createToldChanges();
  #served: { readonly sync: SyncServer; readonly handler: Handler } | undefined;

  constructor(clock: Clock, breaks: () => boolean) {
    this.#clock = clock;
    this.#breaks = breaks;
  }

  dial(agent: string): Dial {
    return (events) => {
      const call: Call = new Call(events, {
        breaks: this.#breaks,
        later: (run) => this.#later(agent, run),
        soon: (run) => void this.#clock.setTimer(LATENCY_MS, run),
        hear: (sync, run) => this.unheard.hear(sync, run),
        note: (message) => this.told.note(agent, message),
        onEnd: () => this.#calls.delete(call),
        agent,
      });
      this.#calls.add(call);
      this.#later(agent, () => call.reach(this.#served));
      // A dial into a cut is told by nobody but time.
      this.#clock.setTimer(DIAL_MS, () => call.giveUp());
      return call;
    };
  }

  serve(sync: SyncServer): void {
    this.told.clear();
    sync.register({
      addService: (_, implementation: Implementation) => {
        this.#served = { sync, handler: implementation["sync"] as Handler };
      },
    });
  }

  stopServing(sync: SyncServer): void {
    if (this.#served?.sync === sync) this.#served = undefined;
    for (const call of this.#calls) {
      if (call.server === sync) call.break("the connection was closed");
    }
  }

  delay(agent: string, ms: number): void {
    this.#delays.set(agent, ms);
  }

  cut(agent: string): void {
    this.#cuts.set(agent, this.#cuts.get(agent) ?? []);
  }

  heal(agent: string): void {
    const held = this.#cuts.get(agent) ?? [];
    this.#cuts.delete(agent);
    for (const run of held) run();
  }

  reset(agent: string): void {
    for (const call of this.#calls) {
      if (call.agent === agent) call.break("the connection was reset");
    }
  }

  #later(agent: string, run: () => void): void {
    const nowMs = this.#clock.nowMs();
    const tookMs = LATENCY_MS + (this.#delays.get(agent) ?? 0);
    const dueMs = Math.max(nowMs + tookMs, this.#dueMs.get(agent) ?? 0);
    this.#dueMs.set(agent, dueMs);
    this.#clock.setTimer(dueMs - nowMs, () => {
      const held = this.#cuts.get(agent);
      if (held === undefined) run();
      else held.push(run);
    });
  }
}

/** How a call reaches its other end. */
interface Line {
  readonly agent: string;
  readonly breaks: () => boolean;
  /** After the way there, and after the end of a cut. */
  readonly later: (run: () => void) => void;
  /** After the way, cut or not. */
  readonly soon: (run: () => void) => void;
  /** Once the process of this controller runs. */
  readonly hear: (sync: SyncServer | undefined, run: () => void) => void;
  readonly note: (message: SyncResponse) => void;
  readonly onEnd: () => void;
}

/** The agent's end of a call. */
class Call implements DialedCall {
  readonly agent: string;
  readonly #events: DialEvents;
  readonly #line: Line;
  readonly #server = new ServerCall();
  /** The controller that took it. */
  server: SyncServer | undefined;
  #isOpen = true;

  constructor(events: DialEvents, line: Line) {
    this.agent = line.agent;
    this.#events = events;
    this.#line = line;
    this.#server.send = (bytes) => this.#toAgent(bytes);
    this.#server.finish = (error) =>
      line.later(() =>
        this.#end(() => (error === undefined ? events.onEnd() : events.onError(error))),
      );
  }

  /** The way to the controller is done; without one the call is refused. */
  reach(
    served: { readonly sync: SyncServer; readonly handler: (call: unknown) => void } | undefined,
  ): void {
    if (!this.#isOpen) return;
    this.server = served?.sync;
    if (served === undefined) this.#end(() => this.#fail("connection refused"));
    else this.#line.hear(served.sync, () => served.handler(this.#server));
  }

  giveUp(): void {
    if (this.server === undefined) this.#end(() => this.#fail("connecting took too long"));
  }

  write(message: Parameters<typeof TABLE.requestSerialize>[0]): boolean {
    const bytes = TABLE.requestSerialize(message);
    if (this.#line.breaks()) this.break("the connection was reset");
    else {
      this.#line.later(() =>
        this.#line.hear(this.server, () => {
          if (this.#isOpen) this.#server.emit("data", TABLE.requestDeserialize(bytes));
        }),
      );
    }
    return true;
  }

  close(): void {
    this.#end(() => this.#line.later(() => this.#closeServer()));
  }

  /** Breaks it at both ends. */
  break(detail: string): void {
    this.#end(() => {
      this.#closeServer();
      this.#line.soon(() => this.#fail(detail));
    });
  }

  #closeServer(): void {
    this.#line.hear(this.server, () => this.#server.close());
  }

  #toAgent(bytes: Buffer): void {
    if (this.#line.breaks()) {
      this.break("the connection was reset");
      return;
    }
    this.#line.later(() => {
      if (!this.#isOpen) return;
      const message = TABLE.responseDeserialize(bytes);
      this.#line.note(message);
      this.#events.onMessage(message);
    });
  }

  #fail(detail: string): void {
    const error = Object.assign(new Error(detail), { code: UNAVAILABLE, details: detail });
    this.#events.onError(error);
  }

  #end(tell: () => void): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#line.onEnd();
    tell();
  }
}

const TABLE = serviceDefinition(AgentService).sync;
type Response = Parameters<typeof TABLE.responseSerialize>[0];

/** The controller's end of a call, as grpc-js would hand it over. */
class ServerCall extends EventEmitter {
  writable = true;
  send: (bytes: Buffer) => void = () => undefined;
  finish: (error: Error | undefined) => void = () => undefined;

  constructor() {
    super();
    this.on("error", (error: Error) => this.#finish(error));
  }

  getPeer(): string {
    return "memory";
  }

  write(message: Response): boolean {
    this.send(TABLE.responseSerialize(message));
    return true;
  }

  end(): void {
    this.#finish(undefined);
  }

  /** The other end is gone. */
  close(): void {
    if (!this.writable) return;
    this.writable = false;
    this.emit("cancelled");
  }

  #finish(error: Error | undefined): void {
    if (!this.writable) return;
    this.writable = false;
    this.finish(error);
  }
}
