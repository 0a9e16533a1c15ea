// One load-balancer host of a ring: a fake host under a supervisor, and on it the real agent's loop
// and link as a process that can be killed. Given the stage's clock, network and luck.

import {
  type AgentName,
  type AgentHello,
  type Remark,
  parsePrefix,
  networkText,
  present,
} from "@fairlead/model";
import { type Converge, createControllerLink, createConverge, watchLinkUps } from "@fairlead/agent";
import { type Clock, type Logger, VERSION } from "@fairlead/runtime";
import { createRevisions } from "@fairlead/wire";

import { createFakeHost, type FakeHost } from "../fakes/fake-host.ts";
import type { Cut, FakeSegment } from "../fakes/fake-segment.ts";
import { agentName } from "../node-plan-builders.ts";
import { createDeafTimes, type DeafTimes } from "./deaf-times.ts";
import type { Faults } from "./faults.ts";
import type { MemoryNetwork } from "./memory-network.ts";
import { createProcessClock, type ProcessClock } from "./process-clock.ts";
import { renderingHost } from "./rendering-host.ts";
import { unreliableHost } from "./unreliable-host.ts";

/** A supervisor starts what died again after this long, in ms. */
export const RESTART_MS = 1000;

/** How long the data plane's supervisor takes to have a killed keepalived back, in ms. */
const KEEPALIVED_BACK_MS = 50;

/** What a host of a ring is made of. */
export interface RingAgentOptions {
  readonly name: string;
  /** Its own addresses with their lengths, with commas between them: `192.0.2.11/24`. */
  readonly prefix: string;
  /** Whether its device has the default route. */
  readonly isPrimary: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly faults: Faults;
  readonly network: MemoryNetwork;
  /** The segment of a network, by its text. */
  readonly segmentOf: (network: string) => FakeSegment;
}

/** A host with its agent. */
export interface RingAgent {
  readonly name: AgentName;
  readonly host: FakeHost;
  /** Starts the agent's process, and again whenever it ends by itself. */
  start(): void;
  /** kill -9; it stays dead until `start`. */
  kill(): void;
  /** `fairlead-agent stop --withdraw`: the agent says so and ends, and its data plane after it. */
  withdraw(): void;
  readonly isRunning: boolean;
  readonly isPowered: boolean;
  /** Whether this keeps it from hearing the others: `split` or `link`. */
  isDeaf(cause: string): boolean;
  /** The loop of the running process. */
  readonly converge: Converge | undefined;
  /** Ports that other processes of the host have: `192.0.2.100:80/tcp` and who. */
  readonly takenPorts: Map<string, string>;
  /** Words that nginx does not bear in its file, and what it says then. */
  readonly refusedWords: Map<string, string>;
  /** Addresses that somebody else put on it. */
  readonly foreign: ReadonlySet<string>;
  addForeign(address: string): void;
  /** Whether every write to its disk fails. */
  isDiskFull: boolean;
  /** What takes nothing or cannot ask: `keepalived`, `nginx`, `segment`, `guard`. */
  readonly broken: Set<string>;
  /** Something passes no more between it and the other hosts, although its link is up. */
  split(cut?: Cut): void;
  rejoin(): void;
  /** When it could not hear the others' VRRP; the last one may still last. */
  readonly deafTimes: DeafTimes["times"];
  killKeepalived(): void;
  /** It stays dead until `reviveNginx` of the host. */
  killNginx(): void;
  /** Its link to the other hosts loses or gets its carrier. */
  setLink(isUp: boolean): void;
  /** Its only cable is pulled or put in: the link and the way to the controller. */
  setPlug(isIn: boolean): void;
  powerOff(): void;
  powerOn(): void;
}

/** Makes a host; nothing runs on it before `start`. */
export function createRingAgent(options: RingAgentOptions): RingAgent {
  return new HostWithAgent(options);
}

class HostWithAgent implements RingAgent {
  readonly name: AgentName;
  readonly host: FakeHost;
  readonly takenPorts = new Map<string, string>();
  readonly refusedWords = new Map<string, string>();
  readonly broken = new Set<string>();
  readonly foreign = new Set<string>();
  isDiskFull = false;
  readonly deafTimes: DeafTimes["times"];
  readonly #deaf: DeafTimes;
  readonly #segment: FakeSegment;
  readonly #options: RingAgentOptions;
  #process:
    | { readonly clock: ProcessClock; readonly converge: Converge; leave(): Promise<void> }
    | undefined;
  #boots = 1;
  isPowered = true;

  constructor(options: RingAgentOptions) {
    const { name } = options;
    const [prefix = "", ...more] = options.prefix.split(",");
    this.#options = options;
    this.#deaf = createDeafTimes(options.clock);
    this.deafTimes = this.#deaf.times;
    this.name = agentName(name);
    const parsed = parsePrefix(prefix);
    const own = present(parsed.kind === "ok" ? parsed.value : undefined, `${prefix} is a prefix`);
    this.#segment = options.segmentOf(networkText(own));
    this.host = createFakeHost({
      name,
      prefix,
      more,
      segment: this.#segment,
      clock: options.clock,
      isPrimary: options.isPrimary,
      failures: {
        failing: (call) => this.#isFailing(call),
        nginxRefuses: (text) => this.#refusal(text),
        portTaken: (endpoint) => this.#taken(endpoint),
      },
    });
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  get converge(): Converge | undefined {
    return this.#process?.converge;
  }

  start(): void {
    if (this.#process !== undefined) return;
    const { network, log, faults } = this.#options;
    const clock = createProcessClock(this.#options.clock);
    const revisions = createRevisions();
    const link = createControllerLink({
      agent: this.name,
      addresses: ["controller:7702"],
      credentials: { kind: "insecure" },
      dial: () => network.dial(this.name),
      clock,
      log,
      revisions,
      random: () => faults.random(),
    });
    const { host, planFile } = unreliableHost(this.host, { clock, faults });
    const converge = createConverge({
      agent: this.name,
      clock,
      log,
      host: renderingHost(this.name, host),
      planFile,
      link,
      random: () => 0.5,
    });
    const running = { clock, converge, leave: () => link.leave() };
    this.#process = running;
    const begin = async (): Promise<void> => {
      await converge.start();
      await watchLinkUps({ clock, kernel: this.host.kernel, cameUp: () => link.hurry() });
      link.start({
        hello: () => this.#hello(converge),
        held: () => converge.view().wanted,
        onPlan: (plan) => converge.accept(plan),
        onConnectionChange: () => undefined,
        look: () => converge.look(),
        announce: () => undefined,
      });
    };
    // A start that fails ends the process, and its supervisor starts another.
    begin().catch(() => {
      if (this.#process !== running) return;
      this.kill();
      this.#options.clock.setTimer(RESTART_MS, () => {
        if (this.isPowered) this.start();
      });
    });
  }

  kill(): void {
    const running = this.#process;
    this.#process = undefined;
    running?.clock.kill();
    this.#options.network.reset(this.name);
  }

  withdraw(): void {
    const running = this.#process;
    const left = running?.leave() ?? Promise.resolve();
    void left.then(() => {
      if (this.#process !== running) return;
      this.kill();
      // What is left of us is what a boot leaves: nothing.
      this.host.powerOff();
      this.host.setLink(true);
    });
  }

  addForeign(address: string): void {
    this.foreign.add(address);
    this.host.addForeign(address);
  }

  split(cut: Cut = "all"): void {
    if (cut !== "answers") this.#deaf.set("split", true);
    this.#segment.split(this.host, cut);
  }

  rejoin(): void {
    this.#segment.rejoin(this.host);
    this.#deaf.set("split", false);
  }

  killKeepalived(): void {
    this.host.killKeepalived();
    this.#options.clock.setTimer(KEEPALIVED_BACK_MS, () => {
      if (this.isPowered) this.host.reviveKeepalived();
    });
  }

  killNginx(): void {
    this.host.killNginx();
  }

  setLink(isUp: boolean): void {
    this.#deaf.set("link", !isUp);
    this.host.setLink(isUp);
  }

  setPlug(isIn: boolean): void {
    this.#options.network[isIn ? "heal" : "cut"](this.name);
    this.setLink(isIn);
  }

  isDeaf(cause: string): boolean {
    return this.#deaf.isBy(cause);
  }

  powerOff(): void {
    this.kill();
    this.isPowered = false;
    this.#options.network.cut(this.name);
    this.#deaf.set("link", true);
    this.host.powerOff();
  }

  powerOn(): void {
    this.#boots += 1;
    this.isPowered = true;
    this.setPlug(true);
    this.start();
  }

  #hello(converge: Converge): AgentHello {
    const { links, epoch, wanted } = converge.view();
    return {
      agent: this.name,
      bootId: `${this.name}-${this.#boots}`,
      version: VERSION,
      capabilities: ["vrrp", "nginx-stream", "ipv6", "host-addresses", "hearing"],
      links,
      epoch,
      ...(wanted === undefined ? {} : { planRevision: wanted.revision }),
    };
  }

  #isFailing(call: string): boolean {
    const [port = "", verb] = call.split(".");
    return (this.isDiskFull && verb === "save") || this.broken.has(port);
  }

  #taken(endpoint: string): Remark | undefined {
    for (const [port, who] of this.takenPorts) {
      if (endpoint.endsWith(`:${port}`)) return { reason: "PortTaken", detail: `${who} has it` };
    }
    return undefined;
  }

  #refusal(text: string): Remark | undefined {
    for (const [word, detail] of this.refusedWords) {
      if (text.includes(word)) return { reason: "ConfigRejected", detail };
    }
    return undefined;
  }
}
