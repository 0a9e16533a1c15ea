// `fairlead run`: controller and agent in one process, for one host and no cluster. It withdraws
// when it is told to end: addresses are given up, and keepalived and nginx end with it.

import { Command } from "commander";

import {
  claimRunDir,
  type HostPrograms,
  problemText,
  type RunningAgent,
  runPreflight,
  startAgent,
  usedServiceNetworks,
} from "@fairlead/agent";
import {
  CONTROLLER_EXTRA_KEYS,
  type ControllerSettings,
  formatTrouble,
  runController,
} from "@fairlead/controller";
import {
  createLifecycle,
  createLogger,
  createSystemClock,
  describeError,
  formatHelp,
  isEdgeError,
  type Lifecycle,
  type Logger,
  readSettings,
  runUntilStopped,
  VERSION,
  warnOfStrangeVariables,
} from "@fairlead/runtime";

import { EXIT, EXIT_HELP, type ExitCode } from "../exit-codes.ts";
import { type CommandContext, complain } from "../output.ts";
import {
  agentHalf,
  checkRunFlags,
  controllerHalf,
  RUN_SETTINGS,
  type RunFlags,
} from "../run-settings.ts";

/** All parts together have this long to stop, in ms; the data plane is ended after them. */
const STOP_MS_MAX = 8000;

const HELP = {
  name: "fairlead run",
  summary: "Runs controller and agent on this host, in one process, with an embedded store.",
  notes: [
    "Told to end, by SIGINT, SIGTERM, SIGHUP or SIGQUIT, it removes the addresses that it added and " +
      "ends keepalived and nginx; with --keep-on-exit it leaves all of it.",
    "Pools of --pool and of the file have mode link where they name none. Without any pool all " +
      "Services share the first address of the device, by port.",
    EXIT_HELP,
  ],
};

/** Makes the command. `done` gets the exit code. */
export function runCommand(context: CommandContext, done: (code: ExitCode) => void): Command {
  return new Command("run")
    .description("Run controller and agent on this host in one process; run --help says more.")
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .argument("[flags...]")
    .action(async (argv: readonly string[]) => done(await run(context, argv)));
}

async function run(context: CommandContext, argv: readonly string[]): Promise<ExitCode> {
  const read = readSettings({
    table: RUN_SETTINGS,
    argv,
    env: process.env,
    extraKeys: CONTROLLER_EXTRA_KEYS,
    check: (given) => checkRunFlags(given, process.env),
  });
  if (read.kind === "help") {
    context.out(formatHelp(HELP, RUN_SETTINGS));
    return EXIT.good;
  }
  if (read.kind === "version") {
    context.out(`${VERSION}\n`);
    return EXIT.good;
  }
  if (read.kind === "usage") {
    for (const error of read.errors) context.err(`${error}\n`);
    context.err("See fairlead run --help.\n");
    return EXIT.usage;
  }
  const { settings: flags, configFile } = read;
  const programs = await findPrograms(context, flags);
  if (programs === undefined) return EXIT.bad;
  const { logLevel, logFormat } = flags;
  const log = createLogger({ level: logLevel ?? "info", format: logFormat ?? "text" });
  warnOfStrangeVariables(log, process.env);
  if (flags.insecure) log.warn({}, "INSECURE: agents connect without TLS");
  // Held until the data plane has ended: nobody shall begin one in its place meanwhile.
  await using held = await holdRunDir(context, flags.runDir);
  if (held === undefined) return EXIT.bad;
  return await runBoth(context, { flags, rest: configFile?.rest ?? {}, programs, log });
}

async function holdRunDir(
  context: CommandContext,
  runDir: string,
): Promise<AsyncDisposable | undefined> {
  try {
    return await claimRunDir(runDir);
  } catch (error) {
    if (!isEdgeError(error)) throw error;
    const complaint = {
      what: "nothing was started",
      why: describeError(error),
      remedy: isEdgeError(error, "BUSY")
        ? "Stop it, by fairlead-agent stop, or give this one another --run-dir."
        : "Give another folder with --run-dir.",
      code: error.code,
    };
    complain(context, complaint, EXIT.bad);
    return undefined;
  }
}

async function findPrograms(
  context: CommandContext,
  flags: RunFlags,
): Promise<HostPrograms | undefined> {
  const settings = agentHalf(flags, undefined);
  const found = await runPreflight({
    ...settings,
    serviceNetworks: usedServiceNetworks(settings),
    path: process.env["PATH"],
  });
  if (found.kind === "ready") return found.programs;
  context.err("error: this host is not fit for an agent; nothing was touched\n");
  for (const problem of found.problems) context.err(`  - ${problemText(problem)}\n`);
  return undefined;
}

interface Both {
  readonly flags: RunFlags;
  readonly rest: Readonly<Record<string, unknown>>;
  readonly programs: HostPrograms;
  readonly log: Logger;
}

async function runBoth(context: CommandContext, both: Both): Promise<ExitCode> {
  const { log } = both;
  const clock = createSystemClock();
  const lifecycle = createLifecycle({
    clock,
    stopMs: STOP_MS_MAX,
    onStopError: (part, error) => log.warn({ part, error: describeError(error) }, "did not stop"),
  });
  let isOfCluster = false;
  let agent: RunningAgent | undefined;
  const cause = await runUntilStopped({
    process,
    lifecycle,
    start: async () => {
      const settings = controllerHalf(both.flags, both.rest);
      isOfCluster = settings.source.kind === "cluster";
      agent = await startBoth(both, settings, lifecycle);
    },
  });
  const { keepOnExit } = both.flags;
  // The addresses were given up first (a part of the lifecycle); now nothing uses the daemons.
  if (!keepOnExit) await agent?.endDataPlane();
  if (cause.kind === "signal") {
    const what = keepOnExit ? "the data plane goes on" : "nothing is served any more";
    const shown = isOfCluster && !keepOnExit ? "; Services keep their addresses" : "";
    log.info({ signal: cause.signal }, `ended; ${what}${shown}`);
    return EXIT.good;
  }
  context.err(`${formatTrouble(cause.error, "fairlead run")}\n`);
  return EXIT.bad;
}

async function startBoth(
  { flags, programs, log }: Both,
  settings: ControllerSettings,
  lifecycle: Lifecycle,
): Promise<RunningAgent> {
  const clock = createSystemClock();
  const onFailed = (error: Error): void => lifecycle.fail(error);
  const controller = await lifecycle.start("controller", (signal) =>
    runController({ settings, clock, log, onFailed, signal }),
  );
  const { metrics, agentsAt } = controller;
  const agent = await startAgent({
    settings: agentHalf(flags, agentsAt),
    programs,
    clock,
    log,
    lifecycle,
    metrics,
    random: Math.random,
    leaves: flags.keepOnExit ? "keep" : "remove",
  });
  if (flags.keepOnExit) return agent;
  // Stopped first, as it was started last: no pass of the loop takes an address back meanwhile.
  await lifecycle.start("addresses", () => ({
    [Symbol.asyncDispose]: () => agent.giveUpLanes(),
  }));
  return agent;
}
