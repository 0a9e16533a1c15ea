// The file of nginx and how far its hand-over came: while a new one is not proved, the one before
// lies beside it. Given the two paths. Nothing of it is remembered: whoever comes after an agent
// that was killed finds the old state or the new one, by asking which generation answers.

import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { type ConfigFile, createConfigFile } from "../config-file.ts";
import type { NginxLayout } from "../data-plane-layout.ts";
import { isListenedTo, probeGeneration, probeSocketOf, unixSocketsOf } from "./generation-probe.ts";

/** The file of one instance. Rejects with EdgeError<ConfigFileErrorCode>. */
export interface HandedOver {
  /** The text that nginx reads at its next start or reload; undefined when there is none. */
  read(): Promise<string | undefined>;
  propose(text: string): Promise<void>;
  withdraw(): Promise<void>;
  /** Keeps what was refused beside, until the next one is; no candidate is left. */
  setAside(text: string): Promise<void>;
  /** Makes `text` the file and keeps the one before until `prove` or `putBack`. */
  swap(text: string): Promise<void>;
  /** The file was proved by the generation that answers. */
  prove(): Promise<void>;
  /** Makes the file before the file again. */
  putBack(before: string): Promise<void>;
  remove(): Promise<void>;
  /** The id that answers, on whichever socket; undefined when none does. */
  answering(): Promise<string | undefined>;
}

/** The file, and the end of a hand-over that somebody else began. */
export function createHandedOver(layout: NginxLayout): HandedOver {
  const file = createConfigFile(layout.config, layout.candidate);
  const earlier = createConfigFile(layout.earlier, `${layout.earlier}.new`);
  const refused = createConfigFile(layout.refused, layout.candidate);
  let recovered: Promise<void> | undefined;
  const ready = (): Promise<void> => {
    recovered ??= recover(file, earlier).catch((error: unknown) => {
      recovered = undefined;
      throw error;
    });
    return recovered;
  };
  return {
    read: async () => {
      await ready();
      return await file.read();
    },
    propose: (text) => file.propose(text),
    withdraw: () => file.withdraw(),
    setAside: (text) => refused.swap(text),
    swap: async (text) => {
      const before = await file.read();
      if (before !== undefined) await earlier.swap(before);
      for (const socket of unixSocketsOf(text)) await removeLeft(socket);
      await file.swap(text);
    },
    prove: () => earlier.remove(),
    putBack: async (before) => {
      await file.swap(before);
      await earlier.remove();
    },
    remove: async () => {
      await file.remove();
      await earlier.remove();
      await refused.remove();
    },
    answering: () => anyAnswer(layout.dir),
  };
}

/**
 * Ends a hand-over in the middle of which an agent was killed. Only an answer proves the new file:
 * else nginx runs the one before, or is to be started with the one that is known to be good.
 */
async function recover(file: ConfigFile, earlier: ConfigFile): Promise<void> {
  const [text, before] = await Promise.all([file.read(), earlier.read()]);
  if (before === undefined) return;
  const socket = probeSocketOf(text ?? "");
  const isProved = socket !== undefined && (await probeGeneration(socket)) !== undefined;
  if (!isProved) await file.swap(before);
  await earlier.remove();
}

/**
 * A check that was killed leaves its socket behind, and nginx could not bind it. One that has no
 * time to answer needs it: it does not bind again at a reload what it has.
 */
async function removeLeft(socket: string): Promise<void> {
  if (await isListenedTo(socket)) return;
  await rm(socket, { force: true });
}

/** A reload that an agent began before it was killed may have come up since. */
async function anyAnswer(dir: string): Promise<string | undefined> {
  const names = await readdir(dir).catch(() => []);
  // The others answer as well where no worker may connect any more.
  const sockets = names.filter((name) => /^[^.]+\.sock$/.test(name));
  const answers = await Promise.all(sockets.map((name) => probeGeneration(join(dir, name))));
  return answers.find((answer) => answer !== undefined);
}
