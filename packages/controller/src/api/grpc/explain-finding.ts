// What is wrong with something that never became a claim, an agent or a pool: a manifest that
// cannot be read, an object in one, a folder. Pure. Given findings; they are told as they stand.

import { type ClaimId, claimTitle, type Finding } from "@fairlead/model";

import { type ExplainInit, type Link, link, tellChain } from "./chain.ts";
import type { AdminContext } from "./admin-context.ts";

/** An object of a source as findings name it: `Service default/web`, `AddressPool lan`. */
const OBJECT = /^(?<kind>[A-Z]\w*) (?<name>[^ "]+)$/u;
/** Other names of kinds, as kubectl and this program take them. */
const SHORT_KINDS: ReadonlyMap<string, string> = new Map([
  ["Service", "svc"],
  ["AddressPool", "pool"],
]);

/** A Service that a source has and cannot read, by its name. */
export function explainUnreadable(context: AdminContext, subject: string): ExplainInit | undefined {
  const findings = context.view.findings.filter(
    (finding) => finding.name.startsWith("Service ") && isObject(finding, subject),
  );
  return tellFindings(context, subject, findings);
}

/** Anything that a finding names. A file's name stands for all that is wrong in it. */
export function explainFinding(context: AdminContext, subject: string): ExplainInit | undefined {
  const findings = context.view.findings.filter(
    (finding) =>
      finding.name === subject ||
      isIn(finding, subject) ||
      isObject(finding, subject) ||
      (finding.subject === "pool" && subject === `pool/${finding.name}`),
  );
  return tellFindings(context, subject, findings);
}

/** Why a source cannot show what the store knows of a claim; undefined: no source says. */
export function unreadableLink({ view }: AdminContext, id: ClaimId): Link | undefined {
  const name = `Service ${claimTitle(id)}`;
  const finding = view.findings.find((one) => one.subject === "object" && one.name === name);
  return finding && link("Seen", "broken", finding.detail, { reason: finding.reason });
}

function tellFindings(
  context: AdminContext,
  subject: string,
  findings: readonly Finding[],
): ExplainInit | undefined {
  const [first] = findings;
  if (first === undefined) return undefined;
  const isFile = findings.length > 1 && findings.every((finding) => isIn(finding, subject));
  const links = findings.map(({ name, reason, detail }) =>
    link("Read", "broken", isFile ? `${name}: ${detail}` : detail, { reason }),
  );
  return tellChain(isFile ? `File ${subject}` : findingWords(first), links, context.nowMs);
}

function isIn({ name, files }: Finding, subject: string): boolean {
  return files?.includes(subject) === true || name.endsWith(` in ${subject}`);
}

/** Whether the subject names the object: with its kind or without, and in the default namespace. */
function isObject({ subject: of, name: title }: Finding, subject: string): boolean {
  const { kind, name } = (of === "object" ? OBJECT.exec(title)?.groups : undefined) ?? {};
  if (kind === undefined || name === undefined) return false;
  const names = name.startsWith("default/") ? [name, name.slice("default/".length)] : [name];
  const kinds = [kind.toLowerCase(), SHORT_KINDS.get(kind)].filter((one) => one !== undefined);
  return names.some((one) => one === subject || kinds.some((word) => `${word}/${one}` === subject));
}

function findingWords({ subject, name }: Finding): string {
  return `${subject.charAt(0).toUpperCase()}${subject.slice(1)} ${name}`;
}
