// What a folder says as a whole: every object once, and what is wrong. Pure. Of two objects with
// one name the first by path, then by place in the file, counts; the other one is named.

import {
  type ClaimId,
  type Finding,
  type PoolName,
  claimId,
  compareBy,
  compareText,
  parsePoolName,
} from "@fairlead/model";

import { quote, quoteList, title } from "../quote.ts";
import { type ObjectIdentity, type SourceObject, identityKey, identityTitle } from "../objects.ts";
import { type FileState, declaredIdentities } from "./file-state.ts";
import type { FolderState } from "./folder-state.ts";

/** What a folder says. */
export interface FolderView {
  /** One for every identity; those of absent files included, as they stay in force. */
  readonly objects: readonly SourceObject[];
  /** Sorted by subject and name; at most one for each. */
  readonly findings: readonly Finding[];
  /** Services and pools that stand in the folder now, well or badly. */
  readonly services: ReadonlySet<ClaimId>;
  readonly pools: ReadonlySet<PoolName>;
  /** False while some file or folder hides what it declares: the list proves no absence. */
  readonly isWhole: boolean;
}

/** Most details of one finding that are shown. */
const DETAILS_MAX = 3;

/** Puts the files of a folder together. `root` is its path, for the findings about it. */
export function viewFolder(state: FolderState, root: string): FolderView {
  const ordered = [...state.files.values()].toSorted(
    compareBy<FileState>(
      (a, b) => Number(a.presence.kind !== "present") - Number(b.presence.kind !== "present"),
      (a, b) => compareText(a.path, b.path),
    ),
  );
  const winners = new Map<string, { readonly object: SourceObject; readonly path: string }>();
  const problems = createProblems();
  for (const file of ordered) {
    for (const object of file.objects) {
      const key = identityKey(object.identity);
      const first = winners.get(key);
      if (first === undefined) winners.set(key, { object, path: file.path });
      else if (file.presence.kind === "present") {
        const detail = duplicateText(first.path, file.path);
        const about = { subject: "object", name: identityTitle(object.identity) } as const;
        problems.add({ ...about, reason: "DuplicateObject", detail }, file.path);
      }
    }
    if (file.presence.kind === "present") addFileProblems(file, problems);
  }
  for (const [path, problem] of state.unreadable) {
    const about = { subject: "file", name: title(path) } as const;
    problems.add({ ...about, reason: "ManifestUnreadable", detail: problem });
  }
  if (state.emptied !== undefined) {
    const about = { subject: "source", name: title(root) } as const;
    problems.add({ ...about, reason: "SourceEmptied", detail: emptiedText(state) });
  }
  const isKnown = [...state.files.values()].every((file) => file.isKnown);
  return {
    objects: [...winners.values()].map(({ object }) => object),
    findings: problems.list(),
    ...namesThere(ordered),
    isWhole: isKnown && state.unreadable.size === 0,
  };
}

function duplicateText(first: string, other: string): string {
  if (first === other) return `${quote(first)} declares it twice; the first one counts`;
  return `${quote(first)} declares it already; ${quote(other)} is left out`;
}

function emptiedText(state: FolderState): string {
  const absent = [...state.files.values()].filter(({ presence }) => presence.kind === "absent");
  const paths = absent.map(({ path }) => path).toSorted(compareText);
  return `${state.emptied ?? ""}; what stood in ${quoteList(paths)} stays in force`;
}

function namesThere(files: readonly FileState[]): Pick<FolderView, "services" | "pools"> {
  const services = new Set<ClaimId>();
  const pools = new Set<PoolName>();
  for (const file of files) {
    if (file.presence.kind === "absent") continue;
    for (const { kind, namespace, name } of declaredIdentities(file)) {
      const claim = kind === "Service" ? claimId("service", namespace, name) : undefined;
      const pool = kind === "AddressPool" ? parsePoolName(name) : undefined;
      if (claim !== undefined) services.add(claim);
      if (pool !== undefined) pools.add(pool);
    }
  }
  return { services, pools };
}

function addFileProblems(file: FileState, problems: Problems): void {
  if (file.problem !== undefined) {
    problems.add({ subject: "file", name: title(file.path), ...file.problem });
    return;
  }
  for (const bad of file.bad) {
    const detail = `in ${quote(file.path)}: ${bad.detail}`;
    const subject = bad.identity?.kind === "AddressPool" ? "pool" : "object";
    const name = nameOf(bad.identity) ?? `${bad.title} in ${title(file.path)}`;
    problems.add({ subject, name, reason: bad.reason, detail }, file.path);
  }
}

function nameOf(identity: ObjectIdentity | undefined): string | undefined {
  if (identity === undefined) return undefined;
  return identity.kind === "AddressPool" ? identity.name : identityTitle(identity);
}

interface Problems {
  /** `path` is that of the file that declares what it is about. */
  add(finding: Finding, path?: string): void;
  list(): readonly Finding[];
}

/** A finding is known by subject and name, so several problems of one are told in one. */
function createProblems(): Problems {
  const found = new Map<
    string,
    { readonly finding: Finding; readonly details: string[]; readonly files: Set<string> }
  >();
  return {
    add: (finding, path) => {
      const key = `${finding.subject}\n${finding.name}`;
      const known = found.get(key) ?? { finding, details: [], files: new Set<string>() };
      known.details.push(finding.detail);
      if (path !== undefined) known.files.add(title(path));
      found.set(key, known);
    },
    list: () =>
      [...found.values()]
        .map(({ finding, details, files }) => ({
          ...finding,
          detail: joinDetails(details),
          ...(files.size === 0 ? {} : { files: [...files] }),
        }))
        .toSorted(
          compareBy<Finding>(
            (a, b) => compareText(a.subject, b.subject),
            (a, b) => compareText(a.name, b.name),
          ),
        ),
  };
}

function joinDetails(details: readonly string[]): string {
  const shown = details.slice(0, DETAILS_MAX).join("; ");
  const more = details.length - DETAILS_MAX;
  return more > 0 ? `${shown}; and ${more} more` : shown;
}
