// The registrar: keeps what external pools have of IPAMs elsewhere as the store says it, a line for
// each pool, and says as facts what was answered. Given every publication, as a publisher is; it
// acts on nothing that is not durable. All that it does may be done twice, so that a leader that
// was overtaken does no harm.

import { type IpamSights, type Registration, NO_SIGHTS, ipamLineId } from "@fairlead/model";
import type { Clock } from "@fairlead/runtime";

import { crash } from "../crash.ts";
import type { Fact } from "../facts.ts";
import type { Publisher } from "../ports.ts";
import { IpamLine, type IpamRequest, type IpamResult } from "./ipam-line.ts";
import type { IpamAccount, IpamClient } from "./ports.ts";

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

  function lineOf(id: string, account: IpamAccount): IpamLine {
    const known = lines.get(id);
    if (known !== undefined) return known;
    const line: IpamLine = new IpamLine({
      account,
      client,
      clock,
      random,
      onSeen: () => {
        if (lines.get(id) === line) say();
      },
      onAsked,
      // Lines reject with EdgeErrors alone; anything else is a bug.
      onError: crash,
    });
    lines.set(id, line);
    return line;
  }

  function end(id: string): void {
    const line = lines.get(id);
    lines.delete(id);
    const done = line?.[Symbol.asyncDispose]().finally(() => ending.delete(done ?? NOTHING));
    if (done !== undefined) ending.add(done);
  }

  return {
    name: "external pools",
    publish: ({ intents, leases }) => {
      const byLine = Map.groupBy(registrationsOf(intents), ({ pool, url }) =>
        ipamLineId(pool, url),
      );
      const before = lines.size;
      for (const id of lines.keys()) if (!byLine.has(id)) end(id);
      for (const [id, registrations] of byLine) {
        const [{ pool, url }] = registrations as [Registration];
        lineOf(id, { pool, url }).follow(registrations, leases);
      }
      if (lines.size < before) say();
      return Promise.resolve();
    },
    pause: () => {
      if (lines.size === 0) return;
      for (const id of lines.keys()) end(id);
      say();
    },
    [Symbol.asyncDispose]: async () => {
      for (const id of lines.keys()) end(id);
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
  const troubles = [...lines].flatMap(([id, { trouble }]): [string, string][] =>
    trouble === undefined ? [] : [[id, trouble]],
  );
  return { registrations, troubles: new Map(troubles) };
}
