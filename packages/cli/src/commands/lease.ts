// `fairlead lease`: which address is whose, and what people do about it: free one, keep all of them
// in a file, and bring them from a file into a store.

import { readFile, stat, writeFile } from "node:fs/promises";

import { Command } from "commander";

import { parseAddress } from "@fairlead/model";
import { describeError, fileError, writeFileDurably } from "@fairlead/runtime";
import {
  AddressRowSchema,
  type LeaseBook,
  ListKind,
  leaseBookFromJson,
  leaseBookToJson,
  rowToJson,
} from "@fairlead/wire";

import { tellAct } from "../act-view.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { formatLease, LEASE_COLUMNS } from "../lease-view.ts";
import { type CommandContext, complain, typed, writeStructured } from "../output.ts";
import { formatTable } from "../table.ts";
import {
  addAskOptions,
  addServerOption,
  type AskOptions,
  type ServerOptions,
  withClient,
} from "./ask.ts";
import { lessThanAll, tellLess } from "./less.ts";

type Done = (code: ExitCode) => void;

/** Makes the command with those below it. `done` gets the exit code. */
export function leaseCommand(context: CommandContext, done: Done): Command {
  return new Command("lease")
    .description("Show who holds which address, free one, and keep all of them in a file.")
    .addCommand(listCommand(context, done))
    .addCommand(describeCommand(context, done))
    .addCommand(releaseCommand(context, done))
    .addCommand(exportCommand(context, done))
    .addCommand(importCommand(context, done));
}

function listCommand(context: CommandContext, done: Done): Command {
  const command = new Command("list").description("Show every address that is not free.");
  return addAskOptions(command).action(async (options: AskOptions) => {
    done(
      await withClient(context, options.server, async (client) => {
        const list = await client.list([ListKind.ADDRESSES]);
        const { addresses } = list;
        const rows = addresses.map((row) => rowToJson(AddressRowSchema, row));
        if (!writeStructured(context, options.output, { leases: rows })) {
          const shown = { wide: options.output === "wide", headings: options.headers };
          context.out(formatTable(LEASE_COLUMNS, addresses, shown));
        }
        return tellLess(context, list, EXIT.good);
      }),
    );
  });
}

function describeCommand(context: CommandContext, done: Done): Command {
  const command = new Command("describe")
    .description("Show all that is kept of one address.")
    .argument("<address>", "the address");
  return addAskOptions(command).action(async (address: string, options: AskOptions) => {
    done(
      await withClient(context, options.server, async (client) => {
        const list = await client.list([ListKind.ADDRESSES]);
        const row = list.addresses.find(
          (one) => one.address === (parseAddress(address) ?? address),
        );
        if (row === undefined) {
          if (lessThanAll(list) !== undefined) return tellLess(context, list, EXIT.bad);
          return complain(context, noLease(address), EXIT.notFound);
        }
        if (!writeStructured(context, options.output, rowToJson(AddressRowSchema, row))) {
          context.out(formatLease(row));
        }
        return EXIT.good;
      }),
    );
  });
}

function releaseCommand(context: CommandContext, done: Done): Command {
  const command = new Command("release")
    .description("Free an address that drains or is quarantined; one that is held is refused.")
    .argument("<address>", "the address");
  return addServerOption(command).action(async (address: string, options: ServerOptions) => {
    done(
      await withClient(context, options.server, async (client) =>
        tellAct(context, await client.releaseLease(address), `${typed(address)} is not released`),
      ),
    );
  });
}

function exportCommand(context: CommandContext, done: Done): Command {
  const command = new Command("export")
    .description("Write all leases as JSON: to a file, or to standard output.")
    .argument("[file]", "the file; standard output without one");
  return addServerOption(command).action(
    async (file: string | undefined, options: ServerOptions) => {
      done(
        await withClient(context, options.server, async (client) => {
          const book = await client.exportLeases();
          const text = `${JSON.stringify(leaseBookToJson(book), undefined, 2)}\n`;
          if (file === undefined) {
            context.out(text);
            return EXIT.good;
          }
          try {
            await writeBook(file, text);
          } catch (error) {
            return complain(context, badFile("write", file, error), EXIT.bad);
          }
          context.out(`done: ${book.leases.length} leases stand in ${typed(file)}\n`);
          return EXIT.good;
        }),
      );
    },
  );
}

/** What a file held stays until all is written; a pipe or a device is written as it is. */
async function writeBook(file: string, text: string): Promise<void> {
  const before = await stat(file).catch(() => undefined);
  if (before?.isFile() !== true) return await writeFile(file, text);
  await writeFileDurably(file, text, { mode: before.mode & 0o777 });
}

interface ImportOptions extends ServerOptions {
  readonly dryRun?: boolean;
}

function importCommand(context: CommandContext, done: Done): Command {
  const command = new Command("import")
    .description("Bring leases out of a file into the store: all of them, or none.")
    .argument("<file>", "a file that `fairlead lease export` wrote")
    .option("--dry-run", "Look at everything, say what would be done, and change nothing.");
  return addServerOption(command).action(async (file: string, options: ImportOptions) => {
    let book: LeaseBook;
    try {
      book = leaseBookFromJson(await readFile(file, "utf8"));
    } catch (error) {
      done(complain(context, badFile("read", file, error), EXIT.bad));
      return;
    }
    done(
      await withClient(context, options.server, async (client) => {
        const result = await client.importLeases(book, options.dryRun === true);
        return tellAct(context, result, `nothing of ${typed(file)} is imported`);
      }),
    );
  });
}

function noLease(address: string): Parameters<typeof complain>[1] {
  const isAddress = parseAddress(address) !== undefined;
  return {
    what: `there is no lease of ${typed(address)}`,
    why: isAddress ? "it is free, or lies in no pool" : "that is no address",
    remedy: "Look at fairlead lease list.",
    code: "NOT_FOUND",
  };
}

/** Who says what is wrong with JSON repeats the parser's words, which are its cause. */
function withoutCause(error: unknown): unknown {
  return error instanceof Error ? error.message : error;
}

function badFile(
  act: "read" | "write",
  file: string,
  error: unknown,
): Parameters<typeof complain>[1] {
  const isOfDisk = error instanceof Error && "code" in error;
  return {
    what: `${typed(file)} cannot be ${act === "read" ? "read" : "written"}`,
    why: describeError(isOfDisk ? fileError(error, file) : withoutCause(error)),
    remedy:
      act === "read"
        ? "Name a file that fairlead lease export wrote, and that you may read."
        : "Name a file in a folder that is there and that you may write to.",
    code: "FILE",
  };
}
