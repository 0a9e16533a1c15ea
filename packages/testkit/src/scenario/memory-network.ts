// The network between agents and the controller, in memory: calls carry the contract's real bytes,
// in order, a millisecond each way. A cut holds back what is said until it heals, as TCP does after
// a pulled cable; a reset breaks a call at both ends. It knows nothing of plans.

import { EventEmitter } from "node:events";

import type { Dial, DialEvents } from "@fairlead/agent";
import type { SyncServer } from "@fairlead/controller";
import type { Clock } from "@fairlead/runtime";
import { AgentService, serviceDefinition } from "@fairlead/wire";

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
  /** The controller's process is gone: its calls break, and dials are refused. */
  stopServing(): void;
  /** Nothing passes between this agent and the controller, and nobody is told. */
  cut(agent: string): void;
  heal(agent: string): void;
  /** Breaks the agent's calls at both ends. */
  reset(agent: string): void;
}

interface Call {
  readonly agent: string;
  break(detail: string): void;
}

/** Makes a network without a controller. */
export function createMemoryNetwork(options: {
  readonly clock: Clock;
  /** Whether the next message breaks its call. */
  readonly breaks: () => boolean;
}): MemoryNetwork {
  const { clock } = options;
  /** What waits for the end of a cut, by agent. */
  const cuts = new Map<string, (() => void)[]>();
  const calls = new Set<Call>();
  let handler: Handler | undefined;

  function later(agent: string, run: () => void): void {
    clock.setTimer(LATENCY_MS, () => {
      const held = cuts.get(agent);
      if (held === undefined) run();
      else held.push(run);
    });
  }

  function heal(agent: string): void {
    const held = cuts.get(agent) ?? [];
    cuts.delete(agent);
    for (const run of held) run();
  }

  function dial(agent: string, events: DialEvents): ReturnType<Dial> {
    const fail = (detail: string): void =>
      events.onError(Object.assign(new Error(detail), { code: UNAVAILABLE, details: detail }));
    const server = new ServerCall();
    let isOpen = true;
    const end = (tell: () => void): void => {
      if (!isOpen) return;
      isOpen = false;
      calls.delete(call);
      tell();
    };
    const call: Call = {
      agent,
      break: (detail) =>
        end(() => {
          server.close();
          clock.setTimer(LATENCY_MS, () => fail(detail));
        }),
    };
    calls.add(call);
    // A dial into a cut is told by nobody but time.
    clock.setTimer(DIAL_MS, () => {
      if (!server.isTaken) end(() => fail("connecting took too long"));
    });
    server.send = (bytes) => {
      if (options.breaks()) return call.break("the connection was reset");
      later(agent, () => {
        if (isOpen) events.onMessage(TABLE.responseDeserialize(bytes));
      });
    };
    server.finish = (error) =>
      later(agent, () => end(() => (error === undefined ? events.onEnd() : events.onError(error))));
    later(agent, () => {
      if (!isOpen) return;
      if (handler === undefined) return end(() => fail("connection refused"));
      server.isTaken = true;
      handler(server);
    });
    return {
      write: (message) => {
        const bytes = TABLE.requestSerialize(message);
        if (options.breaks()) call.break("the connection was reset");
        else later(agent, () => isOpen && server.emit("data", TABLE.requestDeserialize(bytes)));
        return true;
      },
      close: () => end(() => later(agent, () => server.close())),
    };
  }

  return {
    dial: (agent) => (events) => dial(agent, events),
    serve: (sync) =>
      sync.register({
        addService: (_, implementation: Implementation) => {
          handler = implementation["sync"] as Handler;
        },
      }),
    stopServing: () => {
      handler = undefined;
      for (const call of calls) call.break("the connection was closed");
    },
    cut: (agent) => void cuts.set(agent, cuts.get(agent) ?? []),
    heal,
    reset: (agent) => {
      for (const call of calls) if (call.agent === agent) call.break("the connection was reset");
    },
  };
}

const TABLE = serviceDefinition(AgentService).sync;
type Response = Parameters<typeof TABLE.responseSerialize>[0];

/** The controller's end of a call, as grpc-js would hand it over. */
class ServerCall extends EventEmitter {
  isTaken = false;
  writable = true;
  send: (bytes: Buffer) => void = () => undefined;
  finish: (error: Error | undefined) => void = () => undefined;

  constructor() {
    super();
    this.on("error", (error: Error) => this.#finish(error));
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
