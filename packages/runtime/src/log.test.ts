// The log, with values that try to forge records or to paint the terminal.

import assert from "node:assert";
import { test } from "node:test";
import { EdgeError } from "./errors.ts";
import { createLogger, type LogFormat, type Logger, type LogLevel } from "./log.ts";

interface Captured {
  readonly logger: Logger;
  readonly text: () => string;
}

function capture(format: LogFormat, level: LogLevel = "debug"): Captured {
  let all = "";
  const destination = { write: (text: string) => void (all += text) };
  return { logger: createLogger({ level, format, destination }), text: () => all };
}

test("a text record is one readable line", () => {
  const { logger, text } = capture("text");
  logger.child({ agent: "lb-1" }).info({ vip: "::1", gapMs: 240, ok: true }, "address taken");
  assert.match(
    text(),
    /^\d{4}-\d\d-\d\dT[\d:.]+Z INFO {2}address taken agent=lb-1 vip=::1 gapMs=240 ok=true\n$/u,
  );
});

const hostile = "x\n2026-01-01 ERROR forged\u001b[2J\r\u009b\u202e";

test("in text a hostile value, message or key stays on its line", () => {
  const { logger, text } = capture("text");
  logger.warn({ name: hostile, deep: { list: [hostile] }, [hostile]: 1 }, hostile);
  logger.child({ [hostile]: hostile }).warn({}, "again");
  const lines = text().split("\n");
  assert.equal(lines.length, 3);
  for (const line of lines) assert(!/[\p{Cc}\p{Zl}\p{Zp}\u202e]/u.test(line), line);
});

test("in JSON a hostile value stays in its string", () => {
  const { logger, text } = capture("json");
  logger.warn({ name: hostile }, hostile);
  const lines = text().split("\n");
  assert.equal(lines.length, 2);
  assert(!/\p{Cc}/u.test((lines[0] ?? "").replaceAll("\u009b", "")));
  const record: unknown = JSON.parse(lines[0] ?? "");
  assert(typeof record === "object" && record !== null && "name" in record && "msg" in record);
  assert.equal(record.name, hostile);
  assert.equal(record.msg, hostile);
});

test("errors are described in one line with their causes", () => {
  const { logger, text } = capture("text");
  const cause = new Error("disk\nfull");
  const error = new EdgeError({ code: "IO", message: "cannot save", retryable: true, cause });
  logger.error({ error }, "plan not kept");
  assert.match(text(), /ERROR plan not kept error="cannot save: disk\\nfull"\n$/u);
});

test("values that need it are quoted, so that key=value can be read back", () => {
  const { logger, text } = capture("text");
  logger.info({ a: "two words", b: 'say "hi"', c: "", d: "k=v", e: null, f: undefined }, "m");
  assert.match(text(), / a="two words" b="say \\"hi\\"" c="" d="k=v" e=null\n$/u);
});

test("less severe records than the level are not written", () => {
  const { logger, text } = capture("text", "warn");
  logger.debug({}, "a");
  logger.info({}, "b");
  logger.warn({}, "c");
  assert.match(text(), /^\S+ WARN {2}c\n$/u);
});

test("silent means silent", () => {
  const { logger, text } = capture("json", "silent");
  logger.error({}, "a");
  assert.equal(text(), "");
});

test("a field of the same name as pino's own does not break the line", () => {
  const { logger, text } = capture("text");
  logger.info({ level: "x\ny", time: "t\n", msg: "m\n" }, "real");
  assert.equal(text().split("\n").length, 2);
});

test("values without a JSON form do not throw", () => {
  const { logger, text } = capture("text");
  const round: { self?: unknown } = {};
  round.self = round;
  logger.info({ round, big: 10n, symbol: Symbol("s"), fn: () => 1 }, "odd");
  assert.match(text(), /INFO {2}odd .*Circular/u);
});

test("logs that say nothing take nothing of the process", () => {
  const before = process.listenerCount("exit");
  for (let at = 0; at < 20; at++) createLogger({ level: "silent", format: "json" });
  assert.equal(process.listenerCount("exit"), before);
});
