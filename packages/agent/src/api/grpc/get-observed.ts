// What the agent saw of its host, and what that proves, for people. Pure. What the answer has no
// room for is counted.

import { assertNever, type Evidence, type Link, type ResourceReport } from "@fairlead/model";
import type {
  GetObservedRequest,
  GetObservedResponseSchema,
  MessageInitShape,
} from "@fairlead/wire";

import type { ObservedGeneration } from "../../observe.ts";
import { type DebugContext, troubleRow, wholeMs } from "./debug-context.ts";
import { rowBytes, takeWithinRoom } from "./within-room.ts";

type ObservedInit = MessageInitShape<typeof GetObservedResponseSchema>;
type ProvedInit = NonNullable<ObservedInit["proved"]>[number];

/** Answers GetObserved. */
export function getObserved(
  { nowMs, view }: DebugContext,
  { namePrefix }: Pick<GetObservedRequest, "namePrefix">,
): ObservedInit {
  const { look, ledger } = view;
  if (look === undefined) return {};
  const { kernel, generation, udpGeneration, generations, keepalivedAlive } = look.observed;
  const { report } = look;
  const asked = [...report.resources.values()].filter(({ name }) => name.startsWith(namePrefix));
  const { taken, leftOut } = takeWithinRoom(asked, ({ name, problem }) =>
    rowBytes(name, problem?.detail ?? ""),
  );
  return {
    ageMs: wholeMs(nowMs - look.atMs),
    links: kernel.links.map(linkRow),
    addresses: kernel.addresses.map(({ label = "", ...address }) => ({ ...address, label })),
    generation: generation ?? "",
    generationsAlive: generations.length,
    udpGeneration: udpGeneration ?? "",
    generations: generations.map(generationRow),
    keepalivedAlive,
    ledger: ledger.map((entry) => ({ ...entry })),
    proved: taken.map(provedRow),
    lanes: report.lanes.map(({ name, state }) => ({ name, state })),
    troubles: report.remarks.map(troubleRow),
    leftOut,
  };
}

function generationRow({
  protocol,
  isServing,
  workers,
  memoryBytes,
  ageMs,
}: ObservedGeneration): NonNullable<ObservedInit["generations"]>[number] {
  const counts = { memoryBytes: BigInt(memoryBytes), ageMs: wholeMs(ageMs) };
  return { protocol, serving: isServing, workers, ...counts };
}

function linkRow({
  name,
  mac,
  up,
  primary,
  prefixes,
}: Link): NonNullable<ObservedInit["links"]>[number] {
  const texts = prefixes.map(({ address, length }) => `${address}/${length}`);
  return { name, mac, up, primary, prefixes: texts };
}

function provedRow({ name, revision, step, evidence, problem }: ResourceReport): ProvedInit {
  return {
    name,
    revision,
    step,
    evidence: evidence.map(evidenceText),
    ...(problem === undefined ? {} : { problem: troubleRow(problem) }),
  };
}

function evidenceText(evidence: Evidence): string {
  switch (evidence.kind) {
    case "kernel-address":
      return `kernel-address ${evidence.link}`;
    case "generation":
      return "answering generation";
    case "neighbour":
      return `neighbour ${evidence.mac} seen by ${evidence.seenBy}`;
    default:
      return assertNever(evidence, "kind of evidence");
  }
}
