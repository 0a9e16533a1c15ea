// `fairlead demo`: the whole product on one machine, without touching it. Everything runs in
// namespaces of its own and is gone when the demo ends, however it ends.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

import { Command, Option } from "commander";

import { describeError } from "@fairlead/runtime";

import { ADDRESSES_MANIFESTS, tellAddressesStory } from "../demo/addresses-story.ts";
import { CRASH_MANIFESTS, tellCrashStory } from "../demo/crash-story.ts";
import { BrokenPromise } from "../demo/demo-promise.ts";
import {
  createDemoStage,
  type DemoStage,
  programPath,
  readExamples,
  type Tell,
} from "../demo/demo-stage.ts";
import { tellDemoStory } from "../demo/demo-story.ts";
import { DRAIN_MANIFESTS, tellDrainStory } from "../demo/drain-story.ts";
import { RELOAD_MANIFESTS, tellReloadStory } from "../demo/reload-story.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { type CommandContext, complain } from "../output.ts";

/** Exit code of a program that was interrupted, as shells have it. */
const INTERRUPTED = 130;

const SCENARIO_HELP =
  "What is shown: a host that dies, a pool that runs full, reloads under connections, programs " +
  "that are killed, or a host that is drained and taken back.";

/** Makes the command. `done` gets the exit code. */
export function demoCommand(context: CommandContext, done: (code: ExitCode) => void): Command {
  return new Command("demo")
    .description("Show it on this machine: three load balancers, two members, a client.")
    .addOption(
      new Option("--scenario <name>", SCENARIO_HELP).choices(SCENARIO_NAMES).default("failover"),
    )
    .option("--stay", "Stay up afterwards, and print commands to try.")
    .action(async (options: { readonly scenario: ScenarioName; readonly stay?: boolean }) => {
      done(await runDemo(context, await SCENARIOS[options.scenario](), options.stay === true));
    });
}

const SCENARIO_NAMES = ["failover", "addresses", "reload", "crash", "drain"] as const;

type ScenarioName = (typeof SCENARIO_NAMES)[number];

/** What is shown. */
interface Scenario {
  readonly manifests: ReadonlyMap<string, string>;
  /** Answers with the address that commands to try are about. */
  readonly tell: (stage: DemoStage, tell: Tell) => Promise<string>;
}

const SCENARIOS: Readonly<Record<ScenarioName, () => Promise<Scenario>>> = {
  failover: async () => ({ manifests: await readExamples(), tell: tellDemoStory }),
  reload: () => Promise.resolve({ manifests: RELOAD_MANIFESTS, tell: tellReloadStory }),
  crash: () => Promise.resolve({ manifests: CRASH_MANIFESTS, tell: tellCrashStory }),
  drain: () => Promise.resolve({ manifests: DRAIN_MANIFESTS, tell: tellDrainStory }),
  addresses: () => Promise.resolve({ manifests: ADDRESSES_MANIFESTS, tell: tellAddressesStory }),
};

async function runDemo(
  context: CommandContext,
  scenario: Scenario,
  stays: boolean,
): Promise<ExitCode> {
  const begunMs = Date.now();
  const seconds = (): string => `${((Date.now() - begunMs) / 1000).toFixed(1)} s`;
  const interrupted = Promise.withResolvers<undefined>();
  const onSignal = (): void => interrupted.resolve(undefined);
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  context.out("0. The stage\n\n");
  try {
    const note = (line: string): void => context.out(`   ${line} (${seconds()})\n`);
    const making = createDemoStage(note, scenario.manifests);
    const stage = await Promise.race([making, interrupted.promise]);
    if (stage === undefined) return await abandon(making);
    const isWhole = await showOn(stage, { context, scenario, stays, interrupted });
    if (!isWhole) return interruptedExit();
    // Said when the stage is gone, and not before.
    context.out(`\nDone after ${seconds()}; nothing is left behind.\n`);
    return EXIT.good;
  } catch (error) {
    return tellFailure(context, error);
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}

/** A promise that is broken is no matter of the machine, unless that has no time. */
function tellFailure(context: CommandContext, error: unknown): ExitCode {
  const said =
    error instanceof BrokenPromise
      ? {
          what: "the demo did not keep what Fairlead promises",
          remedy: "Try it when the machine is idle; where it stays so, report what stands above.",
        }
      : {
          what: "the demo did not come to its end",
          remedy: "Run npm run demo, which installs what is missing, and read the line above.",
        };
  return complain(context, { ...said, why: describeError(error), code: "DEMO" }, EXIT.bad);
}

/** Tells the story on a stage, and ends that; false when it was interrupted in the middle. */
async function showOn(
  stage: DemoStage,
  how: {
    readonly context: CommandContext;
    readonly scenario: Scenario;
    readonly stays: boolean;
    readonly interrupted: { readonly promise: Promise<undefined> };
  },
): Promise<boolean> {
  const { context, scenario, stays, interrupted } = how;
  await using _ = stage;
  const told = scenario.tell(stage, context.out);
  const address = await Promise.race([told, interrupted.promise]);
  if (address === undefined) {
    told.catch(() => undefined);
    return false;
  }
  if (stays) {
    await Promise.all(stage.balancers.map((balancer) => balancer.healLink()));
    context.out("\n   Links that were cut are whole again; their hosts take nothing back.\n");
    context.out(`\nTry it yourself; Ctrl-C ends it\n\n${commandsToTry(stage, address)}`);
    await interrupted.promise;
  }
  return true;
}

/** Ends a stage that is still being made. */
async function abandon(making: Promise<DemoStage>): Promise<ExitCode> {
  const stage = await making.catch(() => undefined);
  await stage?.[Symbol.asyncDispose]();
  return interruptedExit();
}

function interruptedExit(): ExitCode {
  process.exitCode = INTERRUPTED;
  return EXIT.bad;
}

function commandsToTry(stage: DemoStage, address: string): string {
  const fairlead = programPath("fairlead");
  const lines = [
    stage.client.enterCommand(["curl", "-s", `http://${address}/`]),
    stage.control.enterCommand([fairlead, "status", "-o", "wide"]),
    stage.control.enterCommand([fairlead, "agents"]),
    stage.control.enterCommand([fairlead, "explain", "default/web"]),
    stage.control.enterCommand([onPath("grpcurl"), "-plaintext", "127.0.0.1:7705", "list"]),
  ];
  return lines.map((line) => `   ${line.join(" ")}\n`).join("");
}

/** The path of a program, as the shell in which the line is tried may have another PATH. */
function onPath(name: string): string {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file)) ?? name;
}
