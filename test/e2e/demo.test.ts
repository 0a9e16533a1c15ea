// The demo about addresses, as somebody runs it who wants to see what this is: it ends well, and
// what its tables show is what its headings say.

import assert from "node:assert/strict";
import { test } from "node:test";

import { startSpoken } from "./stage/spoken-program.ts";
import { program } from "./stage/stage.ts";

test("the demo about addresses shows what it says", async () => {
  await using demo = startSpoken(program("fairlead"), ["demo", "--scenario", "addresses"]);
  assert.equal(await demo.exit, 0, demo.words());
  assert.equal(demo.complaints(), "");
  const said = demo.words();
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
  must(/\nDone after \d+\.\d s; nothing is left behind\.\n$/u, back);
});

function must(words: RegExp, said: string): RegExpExecArray {
  const found = words.exec(said);
  assert.ok(found !== null, `${words} in:\n${said}`);
  return found;
}
