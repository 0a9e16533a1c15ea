// Objects of one kind as each of them could last be used. Given what a watch shows; an object that
// cannot be used ends nothing: it is named in a finding, and what it said before stays in force.

import type { Finding } from "@fairlead/model";

import type { Fact } from "../../facts.ts";
import type { SourceObject } from "../objects.ts";
import type { Change } from "./object-set.ts";
import { isUsable, type ReadObject } from "./read-object.ts";

/** Who hears of what. */
export interface KeepOptions {
  /** The source that findings are of. */
  readonly source: string;
  readonly onFact: (fact: Fact) => void;
  /** One can be used as it is now, or, with undefined, is gone. */
  readonly onObject?: (key: string, object: SourceObject | undefined) => void;
}

/** Objects by key. */
export interface KeptObjects {
  readonly objects: ReadonlyMap<string, SourceObject>;
  take(changes: readonly Change<ReadObject>[]): void;
}

/** Makes an empty keeper. */
export function keepObjects({ source, onFact, onObject }: KeepOptions): KeptObjects {
  const objects = new Map<string, SourceObject>();
  const findings = new Map<string, Finding>();

  function note(key: string, object: ReadObject): void {
    if (!isUsable(object)) {
      const { title: name, reason, detail } = object;
      const finding = { subject: "object", name, reason, detail } as const;
      findings.set(key, finding);
      onFact({ kind: "finding", source, finding });
      return;
    }
    clear(key);
    objects.set(key, object);
    onObject?.(key, object);
  }

  function clear(key: string): void {
    const finding = findings.get(key);
    if (finding === undefined) return;
    findings.delete(key);
    const { subject, name } = finding;
    onFact({ kind: "finding-cleared", source, subject, name });
  }

  return {
    objects,
    take: (changes) => {
      for (const { kind, entry } of changes) {
        if (kind === "upsert") note(entry.key, entry.value);
        else if (kind === "gone") {
          clear(entry.key);
          objects.delete(entry.key);
          onObject?.(entry.key, undefined);
        }
      }
    },
  };
}
