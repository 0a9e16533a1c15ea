// The agent's link to its controller: keeps a stream open, takes updates, answers questions, and
// sends what is proved. Given the agent's events. It decides nothing about the host; a lost link
// changes nothing there.

import type { AgentName, AgentReport } from "@fairlead/model";
import {
  type Backoff,
  type Clock,
  createBackoff,
  type Logger,
  type Timer,
} from "@fairlead/runtime";
import {
  type Ack,
  type Credentials,
  encodeReport,
  type IncomingUpdate,
  isSameReport,
  reportDigest,
  type Revisions,
  type Welcome,
  type Wish,
} from "@fairlead/wire";

import type { AcceptedPlan, ControllerLink, ControllerLinkEvents } from "../ports.ts";
import {
  type AfterWelcome,
  type ControllerStream,
  openControllerStream,
  type StreamEnd,
} from "./controller-stream.ts";
import { createGrpcDial, type Dial } from "./dial.ts";
import { receiveUpdate } from "./plan-receiver.ts";
import { createRoute, type Route } from "./route.ts";
import { createTakenUpdate, type TakenUpdate } from "./taken-update.ts";

/** What the link needs. */
export interface ControllerLinkOptions {
  readonly agent: AgentName;
  /** `host:port` of each controller, at least one. One leads, and the others send us on. */
  readonly addresses: readonly string[];
  readonly credentials: Credentials;
  /** How streams to an address are opened. Default: by gRPC. */
  readonly dial?: (address: string) => Dial;
  readonly clock: Clock;
  readonly log: Logger;
  readonly revisions: Revisions;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** The ceiling of the first wait before connecting again; later ones double. */
const RETRY_BASE_MS = 200;
/** The highest ceiling: so many agents come back spread over this time. */
const RETRY_MS_MAX = 5_000;
/** A stream that lasted this long was a success, and the waits start over. */
const LASTING_MS = 5_000;

/** Makes the link; nothing happens before `start`. */
export function createControllerLink(options: ControllerLinkOptions): ControllerLink {
  return new Link(options);
}

class Link implements ControllerLink {
  readonly #options: ControllerLinkOptions;
  readonly #backoff: Backoff;
  readonly #route: Route;
  #stream: ControllerStream | undefined;
  #retry: Timer | undefined;
  #isConnected = false;
  #isDisposed = false;
  #events: ControllerLinkEvents | undefined;
  /** Whether the attempt that ends now is made anew at once. */
  #isHurried = false;
  #openedMs = 0;
  /** Each controller's last ending that was logged: one out of reach is one line, not one a try. */
  readonly #loggedEnds = new Map<string, string>();
  /** Newer than what `held` gives, until the agent has taken it over. */
  #plan: AcceptedPlan | undefined;
  #epoch = 0;
  readonly #taken: TakenUpdate = createTakenUpdate();
  #newest: AgentReport | undefined;
  /** The last report sent, also on an earlier stream. */
  #sent: AgentReport | undefined;
  /** Whether the controller has `#sent`, so that a difference from it can be sent. */
  #isSentKnown = false;
  /**
   * Whether a report was sent on this stream since the last update was taken. Until one was, the
   * controller believes in no absence, so one is sent also when it says what the one before said.
   */
  #hasReported = false;

  constructor(options: ControllerLinkOptions) {
    this.#options = options;
    const { random, addresses } = options;
    this.#route = createRoute(addresses);
    this.#backoff = createBackoff({ baseMs: RETRY_BASE_MS, maxMs: RETRY_MS_MAX, random });
  }

  get connected(): boolean {
    return this.#isConnected;
  }

  start(events: ControllerLinkEvents): void {
    this.#events = events;
    this.#connect(events);
  }

  hurry(): void {
    if (this.#events === undefined || this.#isConnected || this.#isDisposed) return;
    this.#backoff.reset();
    if (this.#retry === undefined) {
      this.#isHurried = true;
      this.#stream?.[Symbol.dispose]();
      return;
    }
    this.#retry.cancel();
    this.#connect(this.#events);
  }

  report(report: AgentReport): void {
    this.#newest = report;
    this.#sendReport();
  }

  async leave(): Promise<void> {
    this.#isDisposed = true;
    await this.#stream?.leave();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#retry?.cancel();
    this.#stream?.[Symbol.dispose]();
    // The stream says its end in a microtask; afterwards nothing of it is left.
    await Promise.resolve();
  }

  #connect(events: ControllerLinkEvents): void {
    if (this.#isDisposed) return;
    this.#retry = undefined;
    const { clock, agent, credentials } = this.#options;
    const address = this.#route.address();
    const dial = this.#options.dial?.(address) ?? createGrpcDial({ address, credentials });
    const hello = events.hello();
    this.#epoch = Math.max(this.#epoch, hello.epoch);
    const plan = this.#held(events);
    const { planRevision: _, ...rest } = hello;
    this.#openedMs = clock.nowMs();
    this.#isSentKnown = false;
    this.#hasReported = false;
    this.#taken.forget();
    this.#stream = openControllerStream({
      dial,
      clock,
      reportDigest: this.#sent && reportDigest(this.#sent),
      hello: {
        ...rest,
        agent,
        epoch: this.#epoch,
        ...(plan === undefined ? {} : { planRevision: plan.revision }),
      },
      onWelcome: (welcome) => this.#onWelcome(events, welcome),
      onMessage: (message) => this.#onMessage(events, message),
      onWritable: () => this.#sendReport(),
      onEnd: (end) => this.#onEnd(events, end),
    });
  }

  #onWelcome(events: ControllerLinkEvents, { epoch, version, reportKnown }: Welcome): void {
    // A leader that has planned nothing yet says 0.
    const from = { controller: this.#route.address(), version, ...(epoch === 0 ? {} : { epoch }) };
    this.#options.log.info(from, "connected to the controller");
    // Nothing may need sending for long: the new leader's epoch is obeyed from its first word on,
    // and is kept with the plan, so that an agent that starts again refuses the one before.
    this.#epoch = Math.max(this.#epoch, epoch);
    const held = this.#held(events);
    if (held !== undefined && held.epoch < this.#epoch) {
      this.#plan = { ...held, epoch: this.#epoch };
      events.onPlan(this.#plan, this.#options.clock.nowMs());
    }
    this.#loggedEnds.clear();
    this.#route.arrived();
    this.#isConnected = true;
    this.#isSentKnown = reportKnown && this.#sent !== undefined;
    events.onConnectionChange(true);
    this.#sendReport();
  }

  #onMessage(events: ControllerLinkEvents, message: AfterWelcome): void {
    if (message.kind === "update") return this.#onUpdate(events, message.update);
    if (message.kind === "heartbeat") return this.#obey(events, message.wish);
    const inventory = this.#held(events)?.revisions ?? new Map();
    this.#stream?.send({ kind: "inventory", inventory });
  }

  #obey(events: ControllerLinkEvents, wish: Wish | undefined): void {
    if (wish === "announcement") events.announce();
    if (wish !== "answer") return;
    const stream = this.#stream;
    // What has changed is reported by the look; where nothing has, this says so.
    const answer = (): void => {
      if (stream?.isWritable === true) stream.send({ kind: "heartbeat" });
    };
    events.look().then(answer, () => undefined);
  }

  #onUpdate(events: ControllerLinkEvents, update: IncomingUpdate): void {
    const { agent, revisions, log, clock } = this.#options;
    const receivedMs = clock.nowMs();
    const { nonce } = update;
    const held = this.#held(events);
    const received = receiveUpdate({ agent, held, epoch: this.#epoch, update, revisions });
    for (const { name, problem } of received.nacks) {
      log.warn({ resource: name, detail: problem.detail }, "a resource of an update was not taken");
    }
    if (received.kind === "refused") {
      const { refusal, detail, nacks } = received;
      log.warn({ refusal, detail }, "an update of the controller was refused");
      this.#stream?.send({ kind: "ack", ack: { nonce, refusal, nacks } });
      return;
    }
    const { plan, nacks } = received;
    this.#epoch = Math.max(this.#epoch, plan.epoch);
    this.#plan = plan;
    const said: Ack = { nonce, step: "received", nacks };
    this.#taken.took(plan, said);
    this.#stream?.send({ kind: "ack", ack: said });
    // What was proved before says nothing of this plan.
    this.#newest = undefined;
    this.#hasReported = false;
    events.onPlan(plan, receivedMs);
  }

  /** The plan that differences are from: the one taken last, else the one from the disk. */
  #held(events: ControllerLinkEvents): AcceptedPlan | undefined {
    return this.#plan ?? events.held();
  }

  /** Latest wins: while there is no room, only the newest report waits. */
  #sendReport(): void {
    const report = this.#newest;
    if (report === undefined || this.#stream?.isWritable !== true) return;
    const known = this.#isSentKnown ? this.#sent : undefined;
    if (known === undefined || !this.#hasReported || !isSameReport(known, report)) {
      this.#stream.send({ kind: "report", report: encodeReport(report, known) });
      this.#sent = report;
      this.#isSentKnown = true;
      this.#hasReported = true;
    }
    const ack = this.#taken.further(report);
    if (ack !== undefined) this.#stream.send({ kind: "ack", ack });
  }

  #onEnd(events: ControllerLinkEvents, end: StreamEnd): void {
    const { clock, log } = this.#options;
    const controller = this.#route.address();
    this.#stream = undefined;
    this.#isSentKnown = false;
    this.#taken.forget();
    const wasConnected = this.#isConnected;
    this.#isConnected = false;
    // Who ends the link himself has lost nobody.
    if (this.#isDisposed) return;
    if (this.#isHurried) {
      this.#isHurried = false;
      this.#connect(events);
      return;
    }
    if (wasConnected) events.onConnectionChange(false);
    const key = `${end.status} ${end.detail}`;
    if (key !== this.#loggedEnds.get(controller)) {
      this.#loggedEnds.set(controller, key);
      log.warn({ controller, ...end }, "no stream to the controller; trying again");
    }
    if (clock.nowMs() - this.#openedMs >= LASTING_MS) this.#backoff.reset();
    // Whoever leads is found in one round; only between two of them it waits.
    const waitMs = this.#route.next() === "round-ended" ? this.#backoff.nextMs() : 0;
    this.#retry = clock.setTimer(waitMs, () => this.#connect(events));
  }
}
