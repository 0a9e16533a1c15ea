// The command fairlead-controller: arguments in, exit code out. Given the process's parts, so that
// tests run it without one. Exit codes: 0 asked to end, 1 failed, 2 usage.

import {
  type Complaint,
  type Logger,
  type SignalTarget,
  VERSION,
  createLifecycle,
  createLogger,
  createSystemClock,
  describeError,
  formatHelp,
  readSettings,
  runUntilStopped,
  warnOfStrangeVariables,
} from "@fairlead/runtime";

import { runController } from "./controller.ts";
import {
  CONTROLLER_EXTRA_KEYS,
  CONTROLLER_SETTINGS,
  checkControllerFlags,
  controllerSettings,
} from "./settings.ts";
import { formatTrouble } from "./trouble.ts";

/** The exit codes of the command. */
export const EXIT = { good: 0, failed: 1, usage: 2 } as const;

/** All parts together have this long to stop before the program ends without them, in ms. */
const STOP_MS = 8000;

/** What the command runs in. */
export interface ProgramOptions {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly process: SignalTarget;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Runs the command. Resolves with its exit code when it has ended. */
export async function runProgram(options: ProgramOptions): Promise<number> {
  const { argv, env, out, err } = options;
  const read = readSettings({
    table: CONTROLLER_SETTINGS,
    argv,
    env,
    extraKeys: CONTROLLER_EXTRA_KEYS,
    check: (given): readonly Complaint[] => checkControllerFlags(given, env),
  });
  if (read.kind === "help") {
    out(helpText());
    return EXIT.good;
  }
  if (read.kind === "version") {
    out(`${VERSION}\n`);
    return EXIT.good;
  }
  if (read.kind === "usage") {
    for (const line of read.errors) err(`${line}\n`);
    err("See fairlead-controller --help.\n");
    return EXIT.usage;
  }
  const { settings: flags, configFile } = read;
  const log = createLogger({
    level: flags.logLevel ?? "info",
    format: flags.logFormat ?? "text",
  });
  warnInsecure(log);
  warnOfStrangeVariables(log, env);
  const settings = controllerSettings(flags, configFile?.rest ?? {});
  return run(options, log, settings);
}

async function run(
  options: ProgramOptions,
  log: Logger,
  settings: ReturnType<typeof controllerSettings>,
): Promise<number> {
  const clock = createSystemClock();
  const lifecycle = createLifecycle({
    clock,
    stopMs: STOP_MS,
    onStopError: (part, error) => log.warn({ part, error: describeError(error) }, "did not stop"),
  });
  const cause = await runUntilStopped({
    process: options.process,
    lifecycle,
    start: async () => {
      const onFailed = (error: Error): void => lifecycle.fail(error);
      await lifecycle.start("controller", (signal) =>
        runController({ settings, clock, log, onFailed, signal }),
      );
    },
  });
  if (cause.kind === "signal") {
    log.info({ signal: cause.signal }, "ended as asked");
    return EXIT.good;
  }
  options.err(`${formatTrouble(cause.error)}\n`);
  return EXIT.failed;
}

function warnInsecure(log: Logger): void {
  log.warn(
    {},
    "INSECURE: agents connect without TLS; whoever reaches the agents' port can pose as one",
  );
}

function helpText(): string {
  return formatHelp(
    {
      name: "fairlead-controller",
      summary:
        `Fairlead ${VERSION}, controller: gives Services addresses, decides which agents hold ` +
        "them, sends each agent its plan, and says what the agents prove.",
      notes: [
        "Options of a pool stand in the settings file under the key pools, or in manifests.",
        "Exit codes: 0 asked to end, 1 failed, 2 wrong flags.",
      ],
    },
    CONTROLLER_SETTINGS,
  );
}
