// What keeps us from writing, as findings: a right that is missing, an object whose writes fail.
// Said when it begins and when it ends, and never for each try. Given what every write came to.

import type { Finding } from "@fairlead/model";
import { describeError } from "@fairlead/runtime";

import { grantCommands, NO_RIGHT } from "../../kube/grant-commands.ts";

/** What is found, or is no longer; a fact but for its source. */
export type PublishTrouble =
  | { readonly kind: "finding"; readonly finding: Finding }
  | { readonly kind: "finding-cleared"; readonly subject: "source"; readonly name: string };

/** A right that writing needs. */
export interface Right {
  readonly verb: "patch" | "create";
  /** As kubectl takes it: `services/status`. */
  readonly resource: string;
}

/** An object whose writes fail so often in a row is told of; one that is refused is at once. */
export const FAILURES_TOLD = 3;
/** So many objects that cannot be written are named. */
const NAMED_MAX = 3;

/** Finding about external addresses. */
const EXTERNAL = "kubernetes external IPs";

/** Remembers troubles and says when they begin and end. */
export interface Troubles {
  /** Writing in the namespace is forbidden for lack of the right. */
  lacks(right: Right, namespace: string, error: Error): void;
  /** Writing there works, or nobody wants to write there any more. */
  works(right: Right, namespace: string): void;
  /** Writes to the object fail. */
  fails(id: string, error: Error): void;
  /** They work, or nothing has to be written to it any more. */
  isWell(id: string): void;
  /** Why nothing may stand in `spec.externalIPs`; undefined: it may, or nobody wants it to. */
  externalIPs(why: string | undefined): void;
}

/** Makes the memory of troubles; there is none yet. `writes` names the finding about objects. */
export function createTroubles(say: (trouble: PublishTrouble) => void, writes: string): Troubles {
  const lacking = new Map<string, Set<string>>();
  const failing = new Map<string, string>();

  const clear = (name: string): void => say({ kind: "finding-cleared", subject: "source", name });
  const find = (name: string, detail: string): void =>
    say({
      kind: "finding",
      finding: { subject: "source", name, reason: "PublishFailed", detail },
    });

  let whyNoExternal: string | undefined;

  return {
    externalIPs: (why) => {
      if (why === whyNoExternal) return;
      whyNoExternal = why;
      if (why === undefined) return clear(EXTERNAL);
      const about = { subject: "source", name: EXTERNAL } as const;
      say({ kind: "finding", finding: { ...about, reason: "ExternalIPsRefused", detail: why } });
    },
    lacks: (right, namespace, error) => {
      const name = rightName(right);
      const known = lacking.get(name);
      if (known !== undefined) return void known.add(namespace);
      lacking.set(name, new Set([namespace]));
      find(name, `${describeError(error)}; ${grantWords(right, error)}`);
    },
    works: (right, namespace) => {
      const name = rightName(right);
      const known = lacking.get(name);
      if (known?.delete(namespace) !== true || known.size > 0) return;
      lacking.delete(name);
      clear(name);
    },
    fails: (id, error) => {
      const words = describeError(error);
      if (failing.get(id) === words) return;
      failing.set(id, words);
      // Further ones are not told of one by one: what ails them is most often the same.
      if (failing.size <= NAMED_MAX) find(writes, [...failing.values()].join("; "));
    },
    isWell: (id) => {
      if (!failing.delete(id)) return;
      if (failing.size === 0) clear(writes);
      else if (failing.size <= NAMED_MAX) find(writes, [...failing.values()].join("; "));
    },
  };
}

function rightName({ verb, resource }: Right): string {
  return `kubernetes ${verb} ${resource}`;
}

function grantWords({ verb, resource }: Right, error: Error): string {
  const [kind = ""] = resource.split(".");
  const role = `fairlead-${verb}-${kind.replace("/", "-")}`;
  const commands = grantCommands({ role, verbs: verb, resource }, error);
  if (commands === undefined) return NO_RIGHT;
  return `add verb ${verb} on ${resource} to the user's ClusterRole, or: ${commands}`;
}
