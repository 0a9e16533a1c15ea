// An agent that is gone (kill -9) before any thing that it asks of keepalived's supervisor in the
// middle of an apply, or right after a signal. Whoever comes after it brings the new lanes or goes
// back to the old ones, whole; and what a killed keepalived would leave is swept at any time.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { inSandbox } from "@fairlead/testkit";

import type { SupervisedService } from "../supervised.ts";
import { config, makeLink, type Stage, stage } from "../keepalived-stage.ts";

/** Two VIPs change lanes, which takes two reloads, and one comes. */
const OLD = { text: config({ 51: [100, 102], 52: [101] }), vips: [100, 101, 102] };
const NEW = { text: config({ 51: [101, 102], 52: [100, 103] }), vips: [100, 101, 102, 103] };
/** As the old ones, and one more VIP: one reload does. */
const MORE = { text: config({ 51: [100, 102], 52: [101, 103] }), vips: [100, 101, 102, 103] };
type Wanted = typeof OLD;

/** So many things are asked in an apply with two reloads, its words in the log left out. */
const DEATHS = 12;

inSandbox({ file: import.meta.url, name: "killed-keepalived-agent" }, () => {
  test("an agent killed at any point of an apply leaves lanes that the next one makes whole", async (t) => {
    await makeLink();
    await using s = await stage("killed-agent");
    await s.keepalived.apply(OLD.text, OLD.vips.length);
    await s.holds(...OLD.vips);
    const { pid } = await s.supervisor.keepalived.state();
    for (const [name, next] of [
      ["new", NEW],
      ["old", OLD],
    ] as const) {
      for (let death = 1; death <= DEATHS; death++) {
        await t.test(
          `killed at ${death} of ${DEATHS}, and the ${name} lanes are wanted`,
          async () => {
            await bring(s, OLD);
            const point = await applyUntilDeath(s, NEW, death);
            assert.equal(point === "done", death === DEATHS, `${death}: ${point}`);
            await isSwept(s);
            await bring(s, next);
            await isSwept(s);
            assert.equal(
              (await s.supervisor.keepalived.state()).pid,
              pid,
              "it was not started anew",
            );
          },
        );
      }
    }
  });

  test("an agent killed before it puts back what was refused: the next one loses no VIP", async () => {
    await using s = await stage("killed-refused");
    await bring(s, OLD);
    await applyInVain(s, NEW);
    await s.holds(...OLD.vips);
    await bring(s, NEW);
    await isSwept(s);
  });

  test("an agent that is killed again as it goes back leaves nothing that is not swept", async () => {
    await using s = await stage("killed-twice");
    await bring(s, OLD);
    assert.equal(await applyUntilDeath(s, MORE, 5), "reload, after");
    await s.holds(...MORE.vips);
    assert.equal(await applyUntilDeath(s, OLD, 2), "mark");
    await isSwept(s);
    await bring(s, OLD);
  });
});

/** Applies what keepalived does not take, by a life that ends before it puts the old file back. */
async function applyInVain(s: Stage, { text, vips }: Wanted): Promise<void> {
  const real = s.supervisor.keepalived;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let marks = 0;
  const service: SupervisedService = {
    ...real,
    reload: () => Promise.resolve(),
    log: {
      since: () => Promise.resolve(["New config failed validation"]),
      mark: async () => {
        marks += 1;
        if (marks === 1) return await real.log.mark();
        resolve(undefined);
        return await new Promise(() => undefined);
      },
    },
  };
  void s.nextLife(service).apply(text, vips.length);
  await promise;
}

/** Applies by a life of the agent that comes to its end. */
async function bring(s: Stage, { text, vips }: Wanted): Promise<void> {
  const outcome = await s.nextLife(s.supervisor.keepalived).apply(text, vips.length);
  assert.equal(outcome.kind, "applied");
  await s.holds(...vips);
}

/**
 * Applies by a life of the agent that does nothing more from its given question on: what it leaves
 * is what a killed one leaves. keepalived may end what it was signalled to do, as it does in less
 * time than an agent needs to start.
 * @returns where it ended; "done" when it had no such question.
 */
async function applyUntilDeath(s: Stage, { text, vips }: Wanted, death: number): Promise<string> {
  const real = s.supervisor.keepalived;
  const since = await real.log.mark();
  const { promise, resolve } = Promise.withResolvers<string>();
  let asked = 0;
  let signals = 0;
  const ask = async (point: string): Promise<void> => {
    asked += 1;
    if (asked < death) return;
    resolve(point);
    await new Promise(() => undefined);
  };
  const service: SupervisedService = {
    ...real,
    state: async () => {
      await ask("state");
      return await real.state();
    },
    log: {
      since: (mark) => real.log.since(mark),
      mark: async () => {
        await ask("mark");
        return await real.log.mark();
      },
    },
    reload: async () => {
      await ask("reload");
      await real.reload();
      signals += 1;
      await ask("reload, after");
    },
  };
  const applied = s.nextLife(service).apply(text, vips.length);
  const point = await Promise.race([promise, applied.then(() => "done")]);
  const ends = (lines: readonly string[]): number =>
    lines.filter((line) => line.endsWith("Reload complete")).length;
  while (ends(await real.log.since(since)) < signals) {}
  return point;
}

/** Whatever is held, and whatever a start with the file of now would hold, is in the sweep. */
async function isSwept(s: Stage): Promise<void> {
  const { config: file, sweep } = s.layout.keepalived;
  const [text, swept] = await Promise.all([readFile(file, "utf8"), readFile(sweep, "utf8")]);
  const held = (await s.held()).map((host) => `192.0.2.${host}/32`);
  const listed = text.match(/192\.0\.2\.1\d\d\/32/g) ?? [];
  for (const address of [...held, ...listed]) assert.ok(swept.includes(address), address);
}
