// The demo's story about failover, told step by step with what really happens: served, answered by
// all members, the holder dies, another answers, the refused one explained.

import { startProbe } from "@fairlead/lab";

import { formatTable } from "../table.ts";
import { keepPromise } from "./demo-promise.ts";
import { type DemoStage, indent, type Tell } from "./demo-stage.ts";
import { readClaims, untilAllStandBy } from "./demo-status.ts";

/** Requests are made for this long to see all members answer, in ms. */
const LOOK_MS = 400;
/** The client goes on this long after the first answer that follows the cut, in ms. */
const AFTER_MS = 500;

/**
 * Tells the story and answers with the address of the Service that it is about. Rejects when it
 * does not come out as it should.
 */
export async function tellDemoStory(stage: DemoStage, tell: Tell): Promise<string> {
  tell("\n1. What is asked for, and what came of it\n\n");
  tell(indent(await statusWhenSettled(stage)));
  const web = await readWeb(stage);

  tell(`\n2. A client asks http://${web.address}/ for ${LOOK_MS} ms\n\n`);
  tell(indent(await answersByMember(stage, web.address)));

  tell(`\n3. The link of ${web.holder}, which holds ${web.address}, is cut\n\n`);
  // Without others that stand by there is nobody to take over.
  await untilAllStandBy(stage);
  const gapMs = await cutHolder(stage, web);
  const after = await readWeb(stage);
  tell(`   The client saw no answer for ${gapMs} ms. ${after.holder} holds the address now.\n\n`);
  tell(indent(await statusWhenSettled(stage)));

  tell("\n4. Why default/refused is not served\n\n");
  const refused = await stage.fairlead(["explain", "default/refused"]);
  tell(indent(refused.stdout));
  return after.address;
}

interface Web {
  readonly address: string;
  readonly holder: string;
}

/** The table, once nothing is pending any more. */
async function statusWhenSettled(stage: DemoStage): Promise<string> {
  const status = await stage.fairlead(["status", "--wait", "15s"]);
  return status.stdout;
}

async function readWeb(stage: DemoStage): Promise<Web> {
  const claims = await readClaims(stage, ["--wait", "15s"]);
  const row = claims.find((claim) => claim.name === "web");
  const at = row?.addresses[0];
  if (at === undefined || at.holder === "") throw new Error("default/web is not served");
  return at;
}

async function answersByMember(stage: DemoStage, address: string): Promise<string> {
  await using probe = await startProbe(stage.client, { address, port: 80 });
  await probe.waitForAnswer(5000);
  await stage.client.exec("sleep", [String(LOOK_MS / 1000)]);
  const result = await probe.stop();
  if (result.byMember.size < 2) throw new Error("not every member answered");
  const rows = [...result.byMember].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return formatTable(
    [
      { heading: "MEMBER", cell: ([member]: readonly [string, number]) => member },
      { heading: "ANSWERS", cell: ([, answers]) => String(answers) },
    ],
    rows,
  );
}

/** Cuts the link while a client asks every 5 ms; the longest silence that it saw, in ms. */
async function cutHolder(stage: DemoStage, web: Web): Promise<number> {
  await using probe = await startProbe(stage.client, { address: web.address, port: 80 });
  await probe.waitForAnswer(5000);
  await stage.lab.host(web.holder).cutLink();
  await stage.client.exec("sleep", ["0.25"]);
  await probe.waitForAnswer(10_000);
  await stage.client.exec("sleep", [String(AFTER_MS / 1000)]);
  const result = await probe.stop();
  keepPromise(`the link of ${web.holder} was cut`, result.allTries, "taken-over");
  return Math.round(result.longestSilence?.lengthMs ?? 0);
}
