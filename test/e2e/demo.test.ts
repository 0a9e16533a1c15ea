// The demos, as somebody runs them who wants to see what this is. Each judges what its client saw,
// and ends badly where that is not what it promises; what else it shows is read here.

import assert from "node:assert/strict";
import { test } from "node:test";

import { startSpoken } from "./stage/spoken-program.ts";
import { program } from "./stage/stage.ts";

test("the demo shows what is served, who answers after a host is cut off, and what is not served", async () => {
  const said = await shown();
  const [, address = ""] = must(/^ +default\/web +(\S+) +80\/TCP,8081\/TCP +lb\d +ready/mu, said);
  must(new RegExp(`^3\\. The link of (lb\\d), which holds ${address}, is cut$`, "mu"), said);
  must(/^ +The client saw no answer for \d+ ms\. lb\d holds the address now\.$/mu, said);
  must(/^ +3 +Address +no .* lies in no pool .*<-- here$/mu, said);
});

test("the demo about reloads fails no connection, and ends with one generation of nginx", async () => {
  const said = await shown("reload");
  must(/^ +all of them went: \d+ connections, 0 failed$/mu, said);
  must(/^ +3 +Sent +ok /mu, said);
});

test("the demo about crashes kills one kind of program after the other, and says why it moved", async () => {
  const said = await shown("crash");
  for (const killed of ["its agent", "nginx's master", "all of keepalived", "everything at once"]) {
    must(new RegExp(`^ +lb\\d: ${killed}.* killed; lb\\d holds it`, "mu"), said);
  }
  assert.ok((said.match(/^ +\d +Moved +ok .* unplanned, gap \d+ ms: /gmu) ?? []).length >= 2, said);
});

test("the demo about a drain moves all away, nothing back by itself, and evens out at last", async () => {
  const said = await shown("drain");
  must(/^ +Addresses held: .*lb\d 0.*$/mu, said);
  must(/^ +Addresses held: lb1 2, lb2 2, lb3 2$/mu, said.slice(said.indexOf("\n4. ")));
});

test("the demo about addresses shows what it says", async () => {
  const said = await shown("addresses");
  const [, four = "", full = "", freed = "", rests = "", back = "", ...more] =
    said.split(/^(?=\d\. )/mu);
  assert.deepEqual(more, [], said);

  const [, shared = ""] = must(/^ +default\/web +(\S+) /mu, four);
  must(new RegExp(`^ +default/api +${shared} +8081/TCP .*ready`, "mu"), four);
  const [, kept = ""] = must(/^ +default\/chat +(\S+) .*ready/mu, four);

  must(/^ +default\/late +- .*pending +PoolExhausted/mu, full);
  must(/^ +default\/clash +- .*refused/mu, full);
  must(new RegExp(`default/web.*${shared}|${shared}.*default/web`, "u"), full);

  const [, given = ""] = must(/^3\. mail is deleted: late gets (\S+),/u, freed);
  must(new RegExp(`^ +${given} +small +held .*default/late`, "mu"), freed);
  must(new RegExp(`^ +${kept} +small +quarantined`, "mu"), rests);
  must(new RegExp(`^ +${kept} +small +held .*default/chat`, "mu"), back);
});

/** What it says until its good end. Undefined: the demo without a scenario. */
async function shown(scenario?: string): Promise<string> {
  const args = scenario === undefined ? [] : ["--scenario", scenario];
  await using demo = startSpoken(program("fairlead"), ["demo", ...args]);
  assert.equal(await demo.exit, 0, demo.words());
  assert.equal(demo.complaints(), "");
  const said = demo.words();
  must(/\nDone after \d+\.\d s; nothing is left behind\.\n$/u, said);
  return said;
}

function must(words: RegExp, said: string): RegExpExecArray {
  const found = words.exec(said);
  assert.ok(found !== null, `${words} in:\n${said}`);
  return found;
}
