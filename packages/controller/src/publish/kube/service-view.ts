// Services as they are by all that is known: the book, overlaid by the answers to our own writes,
// which are newer than what the watch has shown until then. Given the book.

import type { ClaimId } from "@fairlead/model";

import { readVersion } from "../../kube/object-fields.ts";
import type { ServiceBook, ServiceRecord } from "../../kube/service-record.ts";

/** Services as they are. */
export interface ServiceView {
  /** Undefined: there is none, as far as is known. */
  get(id: ClaimId): ServiceRecord | undefined;
  /** Takes the answer to a write of ours. */
  keep(id: ClaimId, answer: ServiceRecord): void;
  /** An answer was overtaken: what the book shows counts. */
  drop(id: ClaimId): void;
}

/** Makes the view. */
export function createServiceView(book: ServiceBook): ServiceView {
  const answers = new Map<ClaimId, ServiceRecord>();
  return {
    get: (id) => {
      const [, namespace = "", name = ""] = id.split("/");
      const shown = book.get(namespace, name);
      const answer = answers.get(id);
      if (answer === undefined) return shown;
      if (shown?.uid === answer.uid) {
        // With its last finalizer an object goes; the answer has the version from before that.
        if (isLast(answer)) return undefined;
        // Versions of one kind can be compared as numbers (KEP-5504).
        if (readVersion(shown.resourceVersion) < readVersion(answer.resourceVersion)) return answer;
      }
      answers.delete(id);
      return shown;
    },
    keep: (id, answer) => void answers.set(id, answer),
    drop: (id) => void answers.delete(id),
  };
}

function isLast({ isDeleting, finalizers }: ServiceRecord): boolean {
  return isDeleting && finalizers.length === 0;
}
