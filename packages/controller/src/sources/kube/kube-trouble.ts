// What an operator reads when a cluster cannot be followed: the server's own words, which right is
// missing and the commands that give it. Pure.

import type { Finding } from "@fairlead/model";
import { describeError, isEdgeError } from "@fairlead/runtime";

import { grantCommands, NO_RIGHT } from "../../kube/grant-commands.ts";

/** What is followed: `services` of the group `` or `discovery.k8s.io`. */
export interface KindName {
  readonly resource: string;
  readonly group: string;
  /** The file to apply on a server that may do without it. Default: every server has it. */
  readonly installedBy?: string;
}

/** A kind to install is found after this at the latest, in ms. */
export const UNKNOWN_MS_MAX = 300_000;

/** Failures that time alone will not mend: they are told at once, the others when they repeat. */
const PEOPLE_ARE_NEEDED: ReadonlySet<string> = new Set([
  "FORBIDDEN",
  "UNAUTHORIZED",
  "UNTRUSTED",
  "CREDENTIALS",
  "NOT_FOUND",
  "INVALID",
]);

/** Whether one failure is enough to say so. */
export function isToldAtOnce(trouble: Error): boolean {
  return isEdgeError(trouble) && PEOPLE_ARE_NEEDED.has(trouble.code);
}

/** How far a kind was followed before it failed. */
export interface FollowedSoFar {
  /** It was listed whole once. */
  readonly isSynced: boolean;
  /** Nobody waits for it: servers may do without it. */
  readonly isMissed: boolean;
}

/** The finding about a kind that cannot be followed. */
export function troubleFinding(kind: KindName, trouble: Error, so: FollowedSoFar): Finding {
  const stays = staysWords(so);
  const remedy = remedyFor(kind, trouble);
  const detail = [describeError(trouble), remedy, stays].filter((part) => part !== "").join("; ");
  return { subject: "source", name: findingName(kind), reason: "SourceUnreadable", detail };
}

/** The finding about a kind that the server does not know, and may do without. */
export function unknownFinding(kind: KindName): Finding {
  const missing = `the cluster does not know ${fullName(kind)}`;
  const detail = `${missing}; ${installWords(kind)}; all else is served without it`;
  return { subject: "source", name: findingName(kind), reason: "KindUnknown", detail };
}

function staysWords({ isSynced, isMissed }: FollowedSoFar): string {
  if (isSynced) return "what it last showed stays in force";
  return isMissed ? "the rest goes on without it" : "nothing is planned before it was listed";
}

/** The name under which a kind's finding is known: `kubernetes services`. */
export function findingName({ resource }: KindName): string {
  return `kubernetes ${resource}`;
}

function installWords({ installedBy = "" }: KindName): string {
  const minutes = UNKNOWN_MS_MAX / 60_000;
  return `install it: kubectl apply -f ${installedBy}; it is found within ${minutes} minutes then`;
}

/** As kubectl knows it. */
function fullName({ resource, group }: KindName): string {
  return group === "" ? resource : `${resource}.${group}`;
}

function remedyFor(kind: KindName, trouble: Error): string {
  if (!isEdgeError(trouble)) return "";
  switch (trouble.code) {
    case "FORBIDDEN": {
      const role = `fairlead-read-${kind.resource}`;
      const grant = { role, verbs: "get,list,watch", resource: fullName(kind) };
      const commands = grantCommands(grant, trouble);
      return commands === undefined ? NO_RIGHT : `grant it: ${commands}`;
    }
    case "UNAUTHORIZED":
      return "the credentials of the kubeconfig are wrong or have expired; renew them";
    case "NOT_FOUND":
      return kind.installedBy === undefined ? "" : installWords(kind);
    case "UNTRUSTED":
      return "the kubeconfig's certificate-authority does not fit the server";
    default:
      return "";
  }
}
