// The program `fairlead-agent`: reads its settings, looks whether the host is fit, and runs until
// it is told to end. Its data plane goes on without it; `stop --withdraw` ends that too.

import {
  createLifecycle,
  createLogger,
  createSystemClock,
  createTimerDelay,
  describeError,
  formatHelp,
  isEdgeError,
  type Logger,
  readSettings,
  runUntilStopped,
  VERSION,
  warnOfStrangeVariables,
} from "@fairlead/runtime";

import { startAgent } from "./agent.ts";
import { claimRunDir } from "./agent-pid.ts";
import { readBootId } from "./boot-id.ts";
import { openClientConnections } from "./client-connections.ts";
import { dataPlaneLayout } from "./data-plane-layout.ts";
import { forgetTables } from "./forget-tables.ts";
import { createLedger } from "./ledger.ts";
import { createNetlinkKernel } from "./netlink/kernel.ts";
import { createNetlinkConnections } from "./netlink/netlink-connections.ts";
import { socketEndingProblem } from "./netlink/socket-ending.ts";
import { createNftGuard } from "./nft/guard.ts";
import { createNoGuard } from "./nft/no-guard.ts";
import type { ClientConnections } from "./ports.ts";
import {
  type HostPrograms,
  type PreflightOptions,
  problemText,
  runPreflight,
} from "./preflight/preflight.ts";
import {
  AGENT_SETTINGS,
  type AgentSettings,
  checkAgentFlags,
  STOP_SETTINGS,
  type StopSettings,
  usedServiceNetworks,
} from "./settings.ts";
import { createS6Supervisor } from "./supervise/s6.ts";
import { findStopPlaces, type StopPlaces } from "./stop-places.ts";
import { stopAgent } from "./withdraw.ts";
import { isBeingWithdrawn } from "./withdrawal-mark.ts";

const EXIT_BAD = 1;
const EXIT_USAGE = 2;
/** All parts of the agent have this long to stop, in ms; the data plane is none of them. */
const STOP_MS_MAX = 5000;

const HELP = {
  name: "fairlead-agent",
  summary: "Holds addresses and serves listeners on one load-balancer host.",
  notes: [
    "fairlead-agent stop [--withdraw] ends the agent of a run directory; with --withdraw it gives " +
      "the addresses to the successors first, and ends keepalived and nginx too.",
    "Exit codes: 0 asked to end, 1 failed or the host is not fit, 2 wrong flags.",
  ],
};

const STOP_HELP = {
  name: "fairlead-agent stop",
  summary:
    "Ends the agent of a run directory. Its data plane goes on; with --withdraw the addresses go " +
    "to the successors first, and keepalived and nginx end too.",
};

const argv = process.argv.slice(2);
const code = await (argv[0] === "stop" ? runStop(argv.slice(1)) : runAgent(argv));
// A connection whose other end is gone without a word would keep the process for a quarter hour.
process.exit(code);

async function runAgent(args: readonly string[]): Promise<number> {
  const check = checkAgentFlags;
  const { env } = process;
  const commands = ["stop"];
  const read = readSettings({ table: AGENT_SETTINGS, argv: args, env, check, commands });
  if (read.kind === "help") return show(formatHelp(HELP, AGENT_SETTINGS));
  if (read.kind === "version") return show(`${VERSION}\n`);
  if (read.kind === "usage") return refuseUsage(HELP.name, read.errors);
  const { settings } = read;
  const log = loggerOf(settings);
  warnOfStrangeVariables(log, env);
  const programs = await findPrograms({
    ...settings,
    serviceNetworks: usedServiceNetworks(settings),
    controllers: settings.controller,
  });
  if (programs === undefined) return EXIT_BAD;
  if (settings.controller.length === 0) {
    log.warn({}, "no --controller names one: the last good plan is served, and nothing new comes");
  } else if (settings.insecure) {
    log.warn({}, "no TLS: whoever reaches the controller's port can read and forge plans");
  }
  // An idle agent's cost is how often it is woken: its own timers tell enough.
  const loopDelay = createTimerDelay();
  const clock = createSystemClock((lateMs) => loopDelay.add(lateMs));
  const lifecycle = createLifecycle({
    clock,
    stopMs: STOP_MS_MAX,
    onStopError: (part, error) => log.error({ part, error: describeError(error) }, "cannot stop"),
  });
  const cause = await runUntilStopped({
    process,
    lifecycle,
    start: async () => {
      await lifecycle.start("run-dir", () => claimRunDir(settings.runDir));
      const metrics = settings.listenMetrics;
      const random = Math.random;
      const isWithdrawn = (): Promise<boolean> => isBeingWithdrawn(settings.runDir);
      const parts = { settings, programs, clock, log, lifecycle, random, metrics, loopDelay };
      await startAgent({ ...parts, isWithdrawn });
    },
  });
  if (cause.kind === "signal") {
    log.info({ signal: cause.signal }, "ended; the data plane goes on");
    return 0;
  }
  const todo = isEdgeError(cause.error, "PORT_TAKEN")
    ? { todo: "stop it, or give the flag another place" }
    : {};
  log.error({ error: describeError(cause.error), ...todo }, "the agent cannot go on");
  return EXIT_BAD;
}

async function findPrograms(
  settings: Omit<PreflightOptions, "path">,
): Promise<HostPrograms | undefined> {
  const found = await runPreflight({ ...settings, path: process.env["PATH"] });
  if (found.kind === "ready") return found.programs;
  process.stderr.write("error: this host is not fit for an agent; nothing was touched\n");
  for (const problem of found.problems) process.stderr.write(`  - ${problemText(problem)}\n`);
  return undefined;
}

async function runStop(args: readonly string[]): Promise<number> {
  const { env } = process;
  const otherKeys = Object.keys(AGENT_SETTINGS);
  const read = readSettings({ table: STOP_SETTINGS, argv: args, env, otherKeys });
  if (read.kind === "help") return show(formatHelp(STOP_HELP, STOP_SETTINGS));
  if (read.kind === "version") return show(`${VERSION}\n`);
  if (read.kind === "usage") return refuseUsage(STOP_HELP.name, read.errors);
  const { settings } = read;
  const logger = loggerOf({ logLevel: "info", logFormat: "text" });
  try {
    const places = await findStopPlaces(settings);
    const programs = await findPrograms(settings);
    if (programs === undefined) return EXIT_BAD;
    await stopFound({ settings, places, programs, logger });
    return 0;
  } catch (error) {
    logger.error({ error: describeError(error) }, "the agent could not be stopped");
    return EXIT_BAD;
  }
}

async function stopFound({ settings, places, programs, logger }: StopParts): Promise<void> {
  const clock = createSystemClock();
  const layout = dataPlaneLayout(settings.runDir);
  const { nft: program } = programs;
  const random = Math.random;
  await using guard =
    program === undefined ? createNoGuard() : createNftGuard({ program, clock, logger, random });
  await using kernel = await createNetlinkKernel({ clock, logger, ipProgram: programs.ip });
  const open = (): Promise<ClientConnections> => createNetlinkConnections({ kernel });
  await using connections = settings.withdraw
    ? await openClientConnections({ log: logger, socketEndingProblem, open })
    : undefined;
  await stopAgent({
    layout,
    places,
    kernel,
    clock,
    log: logger,
    guard,
    connections,
    withdraws: settings.withdraw,
    ledger: createLedger({ path: places.ledgerPath, bootId: await readBootId() }),
    supervisor: createS6Supervisor({ layout, programs, clock, logger }),
    forgetTables: () => forgetTables(programs),
  });
}

interface StopParts {
  readonly settings: StopSettings;
  readonly places: StopPlaces;
  readonly programs: HostPrograms;
  readonly logger: Logger;
}

function loggerOf(settings: Pick<AgentSettings, "logLevel" | "logFormat">): Logger {
  return createLogger({
    level: settings.logLevel ?? "info",
    format: settings.logFormat ?? "text",
  });
}

function show(text: string): number {
  process.stdout.write(text);
  return 0;
}

function refuseUsage(name: string, errors: readonly string[]): number {
  for (const error of errors) process.stderr.write(`${error}\n`);
  process.stderr.write(`See ${name} --help.\n`);
  return EXIT_USAGE;
}
