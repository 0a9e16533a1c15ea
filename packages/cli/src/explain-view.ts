// The chain of `fairlead explain` as text: one numbered line a link with its age, the first broken
// one marked, and one line that says what to do. Pure.

import { type ExplainResponse, type ExplainStep, LinkState } from "@fairlead/wire";

import { formatAge } from "./table.ts";

/** The mark of the first link that does not hold. */
const HERE = "  <-- here";

const SIGNS: Readonly<Record<number, string>> = {
  [LinkState.GOOD]: "ok",
  [LinkState.BROKEN]: "no",
  [LinkState.DOUBT]: "!",
  [LinkState.UNKNOWN]: "?",
};

/** The whole chain. */
export function formatChain(answer: ExplainResponse): string {
  const broken = answer.steps.findIndex((step) => step.state === LinkState.BROKEN);
  const titleWidth = Math.max(...answer.steps.map((step) => step.title.length), 0);
  const ages = answer.steps.map(ageOf);
  const ageWidth = Math.max(...ages.map((age) => age.length), 0);
  const lines = answer.steps.map((step, index) => {
    const cells = [
      `${String(index + 1).padStart(2)}`,
      step.title.padEnd(titleWidth),
      (SIGNS[step.state] ?? "?").padEnd(2),
      (ages[index] ?? "").padStart(ageWidth),
      step.detail,
    ];
    const code = step.code === "" ? "" : ` (${step.code})`;
    return `${cells.join("  ")}${code}${index === broken ? HERE : ""}\n`;
  });
  const remedy = answer.remedy === "" ? "" : `\nDo: ${answer.remedy}\n`;
  return `${answer.title}\n${lines.join("")}${remedy}`;
}

/** Whether no link of the chain is broken. */
export function isWhole(answer: ExplainResponse): boolean {
  return answer.steps.every((step) => step.state !== LinkState.BROKEN);
}

function ageOf(step: ExplainStep): string {
  return step.ageMs === undefined ? "-" : formatAge(Number(step.ageMs));
}
