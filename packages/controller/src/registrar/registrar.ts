// The registrar: keeps what external pools have of IPAMs elsewhere as the store says it, a line for
// each IPAM, and says as facts what was answered. Given every publication, as a publisher is; it
// acts on nothing that is not durable. All that it does may be done twice, so that a leader that
// was overtaken does no harm.

import { type IpamSights, type Registration, NO_SIGHTS } from "@fairlead/model";
import type { Clock } from "@fairlead/runtime";

import { crash } from "../crash.ts";
import type { Fact } from "../facts.ts";
import type { Publisher } from "../ports.ts";
import { IpamLine, type IpamRequest, type IpamResult } from "./ipam-line.ts";
import type { IpamClient } from "./ports.ts";

/** What the registrar works with. */
export interface RegistrarOptions {
  readonly client: IpamClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly emit: (facts: readonly Fact[]) => void;
  /** Told of each request that ended. Default: nobody is. */
  readonly onAsked?: (request: IpamRequest, result: IpamResult) => void;
}

/** Makes it. Disposing waits for requests under way. */
export function createRegistrar(options: RegistrarOptions): Publisher & AsyncDisposable {
  const { client, clock, random, emit, onAsked = () => undefined } = options;
  const lines = new Map<string, IpamLine>();
  const ending = new Set<Promise<void>>();

  function say(): void {
    const sights = lines.size === 0 ? NO_SIGHTS : sightsOf(lines);
    emit([{ kind: "ipam-seen", sights }]);
  }

  function lineTo(url: string): IpamLine {
    const known = lines.get(url);
    if (known !== undefined) return known;
    const line: IpamLine = new IpamLine({
      url,
      client,
      clock,
      random,
      onSeen: () => {
        if (lines.get(url) === line) say();
      },
      onAsked,
      // Lines reject with EdgeErrors alone; anything else is a bug.
      onError: crash,
    });
    lines.set(url, line);
    return line;
  }

  function end(url: string): void {
    const line = lines.get(url);
    lines.delete(url);
    const done = line?.[Symbol.asyncDispose]().finally(() => ending.delete(done ?? NOTHING));
    if (done !== undefined) ending.add(done);
  }

  return {
    name: "external pools",
    publish: ({ intents }) => {
      const byUrl = Map.groupBy(registrationsOf(intents), ({ url }) => url);
      const before = lines.size;
      for (const url of lines.keys()) if (!byUrl.has(url)) end(url);
      for (const [url, registrations] of byUrl) lineTo(url).follow(registrations);
      if (lines.size < before) say();
      return Promise.resolve();
    },
    pause: () => {
      if (lines.size === 0) return;
      for (const url of lines.keys()) end(url);
      say();
    },
    [Symbol.asyncDispose]: async () => {
      for (const url of lines.keys()) end(url);
      await Promise.all(ending);
    },
  };
}

const NOTHING = Promise.resolve();

function registrationsOf(
  intents: Parameters<Publisher["publish"]>[0]["intents"],
): readonly Registration[] {
  return intents.filter((intent) => intent.kind === "register");
}

function sightsOf(lines: ReadonlyMap<string, IpamLine>): IpamSights {
  const registrations = new Map([...lines.values()].flatMap(({ sights }) => [...sights]));
  const troubles = [...lines].flatMap(([url, { trouble }]): [string, string][] =>
    trouble === undefined ? [] : [[url, trouble]],
  );
  return { registrations, troubles: new Map(troubles) };
}
