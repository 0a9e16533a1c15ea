// nginx under its supervisor: checks a file, swaps it in, reloads, and believes nothing until the
// generation with the wanted id answers; else it puts the file before back. Given the supervised
// service. One apply at a time. Test passed and signal sent is not applied: nginx keeps the old
// configuration without a word to the sender when it cannot bind.

import { type Clock, type Logger, createTurns, type Turns } from "@fairlead/runtime";
import type { NginxLayout } from "../data-plane-layout.ts";
import type { ListenPlace } from "../listen-place.ts";
import type { LivingGeneration, NginxDaemon, NginxOutcome } from "../ports.ts";
import type { LogMark, SupervisedService } from "../supervised.ts";
import { checkFile } from "./check-file.ts";
import { isListenedTo, probeSocketOf } from "./generation-probe.ts";
import { createHandedOver, type HandedOver } from "./handed-over.ts";
import { withZoneSince, zoneSinceOf } from "./limit-zone.ts";
import { listensOf } from "./listens.ts";
import {
  createOldGenerations,
  type OldGenerations,
  type OldGenerationsOptions,
} from "./old-generations.ts";
import { createProbedSocket, type ProbedSocket } from "./probed-socket.ts";
import { nginxRefusal, saysGivenUp } from "./refusal.ts";
import { nowTicks, servingWorkers } from "./workers.ts";

/** What the daemon is made of. */
export interface NginxDaemonOptions extends Pick<
  OldGenerationsOptions,
  "generationsMax" | "generationKeptMs"
> {
  /** Of this instance. */
  readonly layout: NginxLayout;
  readonly service: SupervisedService;
  /** nginx itself, an absolute path. */
  readonly program: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A new generation must answer within this: nginx tries a taken port for 2.5 s. */
const ANSWER_MS = 4000;
/** A dead master is started again after about a second, and may find leftovers first. */
const START_MS = 6000;
/** A host that needed longer once gets up to so many times as long. */
const PATIENCE_MAX = 4;
const POLL_MS = 5;
/** A look at generations takes a state that is no older than this. */
const RECENT_MS = 250;
/** The log is read less often than the socket is asked. */
const LOG_POLL_MS = 50;

/** Makes the daemon's adapter. Nothing is touched before `apply`. */
export function createNginxDaemon(options: NginxDaemonOptions): NginxDaemon {
  return new Nginx(options);
}

type Refusal = ReturnType<typeof nginxRefusal>;

/** What was in force before an apply. */
interface Before {
  readonly text: string | undefined;
  readonly generation: string | undefined;
}

/** What is known of a file of nginx by its text. */
interface Handed {
  readonly socket: ProbedSocket;
  /** As `zoneSinceOf` says. */
  readonly zoneSince: number | undefined;
}

class Nginx implements NginxDaemon {
  readonly #options: NginxDaemonOptions;
  readonly #service: SupervisedService;
  readonly #clock: Clock;
  readonly #file: HandedOver;
  readonly #inTurn: Turns = createTurns();
  readonly #old: OldGenerations;
  /** Of the file in force; absent until it was read once. */
  #serving: Handed | undefined;
  /** Of the file that is being handed over. */
  #coming: Handed | undefined;
  /** Whether a file of this process was proved: an earlier release's may have another frame. */
  #hasProved = false;
  #retiring: Promise<void> = Promise.resolve();
  /** How many times as long as usual a new generation may take. */
  #patience = 1;

  constructor(options: NginxDaemonOptions) {
    this.#options = options;
    this.#service = options.service;
    this.#clock = options.clock;
    this.#old = createOldGenerations({ ...options, log: this.#service.log });
    this.#file = createHandedOver(options.layout);
  }

  apply(text: string, generation: string, news = text): Promise<NginxOutcome> {
    return this.#inTurn(() => this.#apply(text, generation, news));
  }

  check(text: string): Promise<Refusal | undefined> {
    return this.#inTurn(async () => {
      const refused = await this.#propose(text);
      if (refused === undefined) await this.#file.withdraw();
      return refused;
    });
  }

  async generation(agoMsMax = 0): Promise<string | undefined> {
    const inForce = await this.#inForce();
    // While a file is handed over, the new socket is there before the old one goes.
    const answer = (await inForce.socket.ask(agoMsMax)) ?? (await this.#coming?.socket.ask(0));
    if (answer !== undefined || inForce.socket.path === undefined) return answer;
    return await this.#file.answering();
  }

  async places(): Promise<ReadonlySet<ListenPlace>> {
    return listensOf((await this.#file.read()) ?? "");
  }

  retired(): Promise<void> {
    return this.#retiring;
  }

  async generationsAlive(): Promise<readonly LivingGeneration[]> {
    // Without a file it does not run, and to ask its supervisor costs a process.
    const inForce = await this.#inForce();
    if ((inForce.socket.path ?? this.#coming?.socket.path) === undefined) return [];
    const { pid } = await this.#service.recentState(RECENT_MS);
    if (pid === undefined) return [];
    return await this.#old.alive(pid, inForce.zoneSince);
  }

  stop(): Promise<void> {
    return this.#inTurn(() => this.#service.stop());
  }

  end(): Promise<void> {
    return this.#inTurn(async () => {
      if ((await this.#file.read()) === undefined) return;
      await this.#service.stop();
      await this.#file.remove();
      this.#serving = this.#handed("");
    });
  }

  async #inForce(): Promise<Handed> {
    return (this.#serving ??= this.#handed((await this.#file.read()) ?? ""));
  }

  #handed(text: string): Handed {
    const socket = createProbedSocket(this.#clock, probeSocketOf(text));
    return { socket, zoneSince: zoneSinceOf(text) };
  }

  async #apply(text: string, wanted: string, news: string): Promise<NginxOutcome> {
    const [now, generation] = await Promise.all([this.#file.read(), this.generation()]);
    const before: Before = { text: now, generation };
    const zoneSince = zoneSinceOf(now ?? "") ?? 0;
    const isInForce = now === withZoneSince(text, zoneSince) && generation === wanted;
    // One whose supervisor was killed serves on, and would be started by nobody when it dies.
    if (isInForce && !this.#old.miscount && (await this.#service.state()).up) {
      return { kind: "applied", reloaded: false };
    }
    await this.#retiring;
    // What only the whole can have wrong, nginx finds when it reads it, and keeps the one before.
    const isPart = this.#hasProved && before.generation !== undefined;
    const [refused, since, { pid }] = await Promise.all([
      this.#propose(isPart ? news : text),
      this.#service.log.mark(),
      this.#service.state(),
    ]);
    if (refused !== undefined) return refused;
    // What dies or is ended leaves what it counted behind, so nobody may go on from it.
    const isAnew = pid !== undefined && this.#old.mustCountAnew(pid);
    const coming = await this.#swap(withZoneSince(text, isAnew ? nowTicks() : zoneSince));
    const retire = pid === undefined ? undefined : this.#old.replace(pid);
    const isReached = await this.#isReached(before, pid);
    const ms = await this.#handOver(isReached);
    if (await this.#answers(wanted, since, ms)) {
      await this.#file.prove();
      this.#hasProved = true;
      this.#settle();
      this.#retiring = retire?.(coming.zoneSince) ?? Promise.resolve();
      return { kind: "applied", reloaded: true };
    }
    const words = await this.#service.log.since(since);
    await this.#rollBack(before, since, isReached);
    const { config, refused: aside } = this.#options.layout;
    const told = words.map((line) => line.replaceAll(config, aside));
    const refusal = nginxRefusal(told, `its new file did not serve within ${ms} ms`);
    if (refusal.remark.reason === "ConfigRejected") await this.#file.setAside(text);
    return this.#judged(refusal);
  }

  #judged(refusal: Refusal): Refusal {
    if (refusal.kind === "undecided") this.#patience = Math.min(2 * this.#patience, PATIENCE_MAX);
    return refusal;
  }

  async #swap(text: string): Promise<Handed> {
    const coming = this.#handed(text);
    this.#coming = coming;
    await this.#file.swap(text);
    return coming;
  }

  /** What was handed over serves now. */
  #settle(): void {
    this.#serving = this.#coming;
    this.#coming = undefined;
  }

  /** Why the checker refuses this; undefined when it accepts it, and it is the candidate. */
  async #propose(text: string): Promise<Refusal | undefined> {
    await this.#file.propose(text);
    const refused = await checkFile(this.#options.program, this.#options.layout);
    if (refused !== undefined) await this.#file.setAside(text);
    return refused && this.#judged(refused);
  }

  /**
   * Whether a HUP reaches nginx: it answers, or its workers hold their socket and have no time to.
   * Before it is ready, the signal would end the shell that becomes it. Workers without a master
   * answer too: then there is nothing that a signal would reach.
   */
  async #isReached({ text, generation }: Before, pid: number | undefined): Promise<boolean> {
    if (pid === undefined || generation !== undefined) return pid !== undefined;
    return servingWorkers(pid).length > 0 && (await isListenedTo(probeSocketOf(text ?? "")));
  }

  /** Makes nginx read its file; resolves with the time it may take. */
  async #handOver(isReached: boolean): Promise<number> {
    if (isReached) {
      await this.#service.reload();
      return ANSWER_MS * this.#patience;
    }
    if ((await this.#service.state()).up) await this.#service.restart();
    else await this.#service.start();
    return START_MS * this.#patience;
  }

  /** Waits for the generation; gives up early when the log says that it will not come. */
  async #answers(wanted: string, since: LogMark, ms: number): Promise<boolean> {
    const endMs = this.#clock.nowMs() + ms;
    let nextLogMs = this.#clock.nowMs() + LOG_POLL_MS;
    for (;;) {
      if ((await this.generation()) === wanted) return true;
      const nowMs = this.#clock.nowMs();
      if (nowMs >= endMs) return false;
      if (nowMs >= nextLogMs) {
        const lines = await this.#service.log.since(since);
        if (saysGivenUp(lines)) return (await this.generation()) === wanted;
        nextLogMs = this.#clock.nowMs() + LOG_POLL_MS;
      }
      await this.#clock.sleep(POLL_MS);
    }
  }

  async #rollBack(before: Before, since: LogMark, wasReached: boolean): Promise<void> {
    if (before.text === undefined) {
      // Nothing ever ran: a file that cannot start must not be tried every second.
      await this.#service.stop();
      await this.#file.remove();
      this.#serving = this.#handed("");
      this.#coming = undefined;
      return;
    }
    this.#coming = this.#handed(before.text);
    await this.#file.putBack(before.text);
    if (before.generation === undefined) {
      // Dead before: the supervisor goes on trying with the file that was good once.
      await this.#handOver(wasReached);
      this.#settle();
      return;
    }
    const lines = await this.#service.log.since(since);
    if (saysGivenUp(lines) && (await this.generation()) === before.generation) {
      this.#settle();
      return;
    }
    // It may still come up with the new file: only another reload makes the old one sure.
    const again = await this.#service.log.mark();
    const { pid } = await this.#service.state();
    const isAlive = pid !== undefined && servingWorkers(pid).length > 0;
    const ms = await this.#handOver(isAlive || (await this.generation()) !== undefined);
    const isBack = await this.#answers(before.generation, again, ms);
    this.#settle();
    if (isBack) return;
    const fields = { generation: before.generation };
    this.#options.logger.error(fields, "nginx does not serve the file before either");
  }
}
