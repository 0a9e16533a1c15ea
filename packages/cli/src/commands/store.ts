// `fairlead store copy`: moves all that a store holds into another one, addresses kept. It
// opens both stores by itself and asks no controller: none may work with either meanwhile.

import { Command } from "commander";

import {
  checkCopyFlags,
  CONTROLLER_EXTRA_KEYS,
  CONTROLLER_SETTINGS,
  COPY_SETTINGS,
  type CopyFlags,
  copyNamedStores,
  type CopyOutcome,
  countsText,
} from "@fairlead/controller";
import { assertNever } from "@fairlead/model";
import {
  createSystemClock,
  describeError,
  formatHelp,
  isEdgeError,
  readSettings,
  VERSION,
} from "@fairlead/runtime";

import { EXIT, EXIT_HELP, type ExitCode } from "../exit-codes.ts";
import { type CommandContext, complain } from "../output.ts";

const HELP = {
  name: "fairlead store copy",
  summary:
    "Copies leases, lanes, intents and what the IPAM gave into an empty store. Every address stays " +
    "whose it is. Stop the controllers before, and start them with the new store after.",
  notes: [EXIT_HELP],
};

/** What to do about each refusal. */
const REMEDIES: Readonly<Record<Extract<CopyOutcome, { kind: "refused" }>["code"], string>> = {
  HELD: "Stop the controllers of that store, then copy again.",
  NOT_EMPTY: "Name a store that has never been used; nothing is merged or overwritten.",
  FENCED: "Stop the controllers of that store. It may hold a part: empty it, then copy again.",
  UNREACHABLE: "See that the store runs and that this host reaches it there, then copy again.",
  UNUSABLE: "Look at what the store says; nothing was taken out of the one that is read.",
};

/** Makes the command. `done` gets the exit code. */
export function storeCommand(context: CommandContext, done: (code: ExitCode) => void): Command {
  const copy = new Command("copy")
    .description("Copy all that one store holds into an empty one; copy --help says more.")
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .argument("[flags...]")
    .action(async (argv: readonly string[]) => done(await copyStores(context, argv)));
  return new Command("store")
    .description("Move what a controller keeps from one store to another.")
    .enablePositionalOptions()
    .addCommand(copy);
}

async function copyStores(context: CommandContext, argv: readonly string[]): Promise<ExitCode> {
  const read = readSettings({
    table: COPY_SETTINGS,
    argv,
    env: process.env,
    otherKeys: [...Object.keys(CONTROLLER_SETTINGS), ...CONTROLLER_EXTRA_KEYS],
    check: checkCopyFlags,
  });
  if (read.kind === "help") {
    context.out(formatHelp(HELP, COPY_SETTINGS));
    return EXIT.good;
  }
  if (read.kind === "version") {
    context.out(`${VERSION}\n`);
    return EXIT.good;
  }
  if (read.kind === "usage") {
    for (const error of read.errors) context.err(`${error}\n`);
    context.err("See fairlead store copy --help.\n");
    return EXIT.usage;
  }
  return await runCopy(context, read.settings);
}

async function runCopy(context: CommandContext, flags: CopyFlags): Promise<ExitCode> {
  const clock = createSystemClock();
  const onWait = (text: string): void => context.err(`${text}\n`);
  try {
    const outcome = await copyNamedStores({ flags, clock, random: Math.random, onWait });
    return tell(context, outcome);
  } catch (error) {
    if (!isEdgeError(error)) throw error;
    const isMissing = error.code === "NOT_FOUND";
    return complain(
      context,
      {
        what: "nothing was copied",
        why: describeError(error),
        remedy: isMissing ? "Name a store that is there." : "Look at the files that were named.",
        code: error.code,
      },
      isMissing ? EXIT.notFound : EXIT.bad,
    );
  }
}

function tell(context: CommandContext, outcome: CopyOutcome): ExitCode {
  switch (outcome.kind) {
    case "copied":
      context.out(`copied ${countsText(outcome.counts)}\n`);
      return EXIT.good;
    case "would-copy":
      context.out(`would copy ${countsText(outcome.counts)}\n`);
      return EXIT.good;
    case "refused": {
      const { code, why } = outcome;
      const complaint = { what: "nothing was copied", why, remedy: REMEDIES[code], code };
      return complain(context, complaint, code === "UNREACHABLE" ? EXIT.unreachable : EXIT.refused);
    }
    default:
      return assertNever(outcome, "unknown outcome of a copy");
  }
}
