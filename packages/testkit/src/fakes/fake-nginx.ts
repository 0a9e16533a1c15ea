// An nginx that behaves: it serves a generation only after a file that it accepts, and after a kill
// nothing answers until its supervisor starts it again with the file that it had.

import type { Remark } from "@fairlead/model";
import type { NginxDaemon } from "@fairlead/agent";

/** A fake nginx with what its host does to it. */
export interface FakeNginx {
  readonly daemon: NginxDaemon;
  kill(): void;
  /** Starts it again if it was killed. */
  revive(): void;
  /** Whether it was killed and does not serve yet: its finish script told the lanes of that. */
  isDown(): boolean;
  /** The host loses power: its files lay in memory. */
  powerOff(): void;
  /** `192.0.2.100:80` or `192.0.2.53:53 udp reuseport` of its file, sorted. */
  listens(): readonly string[];
  /** The file that it took last; empty: none. */
  text(): string;
}

/** Makes one that does not run yet. */
export function createFakeNginx(options: {
  /** Called first by every change; throws when it fails. */
  readonly attempt: (call: string) => void;
  /** Why it refuses a file with this text; undefined accepts it. */
  readonly refuses: (text: string) => Remark | undefined;
  /** It is down, or runs again. */
  readonly onTurn: () => void;
}): FakeNginx {
  let text = "";
  let generation: string | undefined;
  /** What its supervisor starts again; nothing where it was told to leave it alone. */
  let killed: { readonly generation?: string } | undefined;

  const up = (): void => {
    const wasDown = killed !== undefined;
    killed = undefined;
    if (wasDown) options.onTurn();
  };

  const daemon: NginxDaemon = {
    apply: async (next, id) => {
      options.attempt("nginx.apply");
      const remark = options.refuses(next);
      if (remark !== undefined) return { kind: "refused", remark };
      const reloaded = next !== text || generation === undefined;
      text = next;
      generation = id;
      up();
      return { kind: "applied", reloaded };
    },
    check: async (next) => {
      options.attempt("nginx.check");
      const remark = options.refuses(next);
      return remark && { kind: "refused", remark };
    },
    generation: async () => generation,
    places: async () => placesOf(text),
    retired: () => Promise.resolve(),
    generationsAlive: async () =>
      generation === undefined
        ? []
        : [{ isServing: true, workers: 2, memoryBytes: 10_000_000, ageMs: 1000 }],
    stop: async () => {
      generation = undefined;
      killed &&= {};
    },
    end: async () => {
      text = "";
      generation = undefined;
      up();
    },
  };

  return {
    daemon,
    text: () => text,
    kill: () => {
      if (generation !== undefined) killed = { generation };
      generation = undefined;
      options.onTurn();
    },
    revive: () => {
      generation ??= killed?.generation;
      if (generation !== undefined) up();
    },
    isDown: () => killed !== undefined,
    powerOff: () => {
      text = "";
      generation = undefined;
      killed = undefined;
    },
    listens: () => (generation === undefined ? [] : listensOf(text).toSorted()),
  };
}

function listensOf(text: string): string[] {
  return Array.from(text.matchAll(/^ {4}listen (?!unix:)([^;]+);$/gm), (match) => match[1] ?? "");
}

function placesOf(text: string): Awaited<ReturnType<NginxDaemon["places"]>> {
  return new Set(
    listensOf(text).map((listen) => {
      const [endpoint = "", ...flags] = listen.split(" ");
      return `${endpoint}/${flags.includes("udp") ? "udp" : "tcp"}` as const;
    }),
  );
}
