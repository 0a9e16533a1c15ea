// nginx under its supervisor: checks a file, swaps it in, reloads, and believes nothing until the
// generation with the wanted id answers; else it puts the file before back. Given the supervised
// service. One apply at a time. Test passed and signal sent is not applied: nginx keeps the old
// configuration without a word to the sender when it cannot bind.

import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { type Clock, EdgeError, type Logger, describeError, runProgram } from "@fairlead/runtime";
import type { DataPlaneLayout } from "../data-plane-layout.ts";
import type { ApplyOutcome, NginxDaemon } from "../ports.ts";
import type { LogMark, SupervisedService } from "../supervised.ts";
import { probeGeneration } from "./generation-probe.ts";
import { countGenerations, readWorkers } from "./generations.ts";
import { nginxRefusal, saysGivenUp } from "./refusal.ts";

/** What the daemon is made of. */
export interface NginxDaemonOptions {
  readonly layout: DataPlaneLayout;
  readonly service: SupervisedService;
  /** nginx itself, an absolute path. */
  readonly program: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A new generation must answer within this time. Default 4000: nginx gives a port up in 2.5 s. */
  readonly answerMs?: number;
}

const ANSWER_MS = 4000;
/** A dead master is started again after about a second, and may find leftovers first. */
const START_MS = 6000;
const POLL_MS = 5;
/** The log is read less often than the socket is asked. */
const LOG_POLL_MS = 50;
/** 10 000 listeners take 2.4 s to check on a slow core. */
const CHECK_MS_MAX = 30_000;
const WORDS_BYTES_MAX = 16_384;

/** Makes the daemon's adapter. Nothing is touched before `apply`. */
export function createNginxDaemon(options: NginxDaemonOptions): NginxDaemon {
  const { layout, service, clock, logger } = options;
  const { config, candidate, probeSocket } = layout.nginx;
  const answerMs = options.answerMs ?? ANSWER_MS;
  let last: Promise<unknown> = Promise.resolve();
  const generation = (): Promise<string | undefined> => probeGeneration(probeSocket);

  /** Undefined when the checker accepts the file. */
  async function check(): Promise<ApplyOutcome | undefined> {
    const result = await runProgram({
      command: options.program,
      args: ["-t", "-q", "-p", `${layout.nginx.dir}/`, "-c", candidate, "-e", "stderr"],
      timeoutMs: CHECK_MS_MAX,
      maxOutputBytes: WORDS_BYTES_MAX,
    });
    if (result.code === 0) return undefined;
    const words = result.stderr.split("\n").filter((line) => line !== "");
    const otherwise = result.timedOut ? "its check took too long" : "its check failed";
    return { kind: "refused", remark: nginxRefusal(words, otherwise) };
  }

  /** Waits for the generation; gives up early when the log says that it will not come. */
  async function answers(wanted: string, since: LogMark, ms: number): Promise<boolean> {
    const endMs = clock.nowMs() + ms;
    let nextLogMs = clock.nowMs() + LOG_POLL_MS;
    for (;;) {
      if ((await generation()) === wanted) return true;
      const nowMs = clock.nowMs();
      if (nowMs >= endMs) return false;
      if (nowMs >= nextLogMs) {
        if (saysGivenUp(await service.log.since(since))) return (await generation()) === wanted;
        nextLogMs = clock.nowMs() + LOG_POLL_MS;
      }
      await clock.sleep(POLL_MS);
    }
  }

  /** A HUP before nginx is ready would end the shell that becomes it, so only one that answers. */
  async function handOver(serving: string | undefined): Promise<number> {
    if (serving !== undefined) {
      await service.reload();
      return answerMs;
    }
    if ((await service.state()).up) await service.restart();
    else await service.start();
    return START_MS;
  }

  async function rollBack(before: Before, since: LogMark): Promise<void> {
    if (before.text === undefined) {
      // Nothing ever ran: a file that cannot start must not be tried every second.
      await service.stop();
      await rm(config, { force: true });
      return;
    }
    await putBack(before.text);
    if (before.generation === undefined) {
      // It was dead before: the supervisor goes on trying with the file that was good once.
      await handOver(undefined);
      return;
    }
    const refused = saysGivenUp(await service.log.since(since));
    if (refused && (await generation()) === before.generation) return;
    // It may still come up with the new file: only another reload makes the old one sure.
    const again = await service.log.mark();
    const ms = await handOver(await generation());
    if (await answers(before.generation, again, ms)) return;
    logger.error({ generation: before.generation }, "nginx does not serve the file before either");
  }

  async function putBack(text: string): Promise<void> {
    await writeFile(candidate, text, { mode: 0o600 });
    await rename(candidate, config);
  }

  async function applyNow(text: string, wanted: string): Promise<ApplyOutcome> {
    const before: Before = { text: await readConfig(config), generation: await generation() };
    if (before.text === text && before.generation === wanted) {
      return { kind: "applied", reloaded: false };
    }
    await writeFile(candidate, text, { mode: 0o600 });
    const refused = await check();
    if (refused !== undefined) {
      await rm(candidate, { force: true });
      return refused;
    }
    const since = await service.log.mark();
    await rename(candidate, config);
    const ms = await handOver(before.generation);
    if (await answers(wanted, since, ms)) return { kind: "applied", reloaded: true };
    const words = await service.log.since(since);
    const remark = nginxRefusal(words, `generation ${wanted} did not answer within ${ms} ms`);
    await rollBack(before, since);
    return { kind: "refused", remark };
  }

  /** Runs after whatever was asked before, whether or not that went well. */
  function inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = last.then(run, run);
    last = turn.catch(() => undefined);
    return turn;
  }

  return {
    apply: (text, wanted) => inTurn(() => mapped(applyNow(text, wanted))),
    generation,
    generationsAlive: async () => {
      const { pid } = await service.state();
      return pid === undefined ? 0 : countGenerations(await readWorkers(pid));
    },
    stop: () => inTurn(() => service.stop()),
  };
}

/** What was in force before an apply. */
interface Before {
  readonly text: string | undefined;
  readonly generation: string | undefined;
}

async function readConfig(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    // No file yet, or one that cannot be read: written anew either way.
    return undefined;
  }
}

/** Everything of the file system that may fail here is the run directory. */
async function mapped<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof EdgeError) throw error;
    throw new EdgeError({
      code: "RUN_DIR",
      message: `cannot write nginx's file: ${describeError(error)}`,
      retryable: true,
      cause: error,
    });
  }
}
