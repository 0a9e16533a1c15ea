// What the user of the stub may do: all that was not forbidden, while the credentials count. It is
// asked before anything else is looked at, as an API server does.

import { forbidden, type StubAnswer, unauthorized } from "./status-answers.ts";
import type { StubResource, StubTarget, StubVerb } from "./stub-kinds.ts";

/** One right, in the words of RBAC. */
export interface StubRight {
  readonly verb: StubVerb;
  /** A subresource is a right of its own. */
  readonly resource: StubResource | "services/status";
  /** Undefined: everywhere. */
  readonly namespace?: string;
}

/** The rights of one user. */
export class StubRights {
  readonly #user: string;
  #forbidden: readonly StubRight[] = [];
  #areCredentialsGood = true;

  constructor(user: string) {
    this.#user = user;
  }

  forbid(right: StubRight): void {
    this.#forbidden = [...this.#forbidden, right];
  }

  /** Takes back every `forbid` of this verb and resource. */
  allow({ verb, resource }: Pick<StubRight, "verb" | "resource">): void {
    this.#forbidden = this.#forbidden.filter(
      (right) => right.verb !== verb || right.resource !== resource,
    );
  }

  setCredentials(areGood: boolean): void {
    this.#areCredentialsGood = areGood;
  }

  /** The answer to somebody unknown; undefined for the user. */
  authenticate(): StubAnswer | undefined {
    return this.#areCredentialsGood ? undefined : unauthorized();
  }

  /** The answer to a request without its right; undefined where there is one. */
  authorize(target: StubTarget): StubAnswer | undefined {
    const { verb, kind, namespace, subresource } = target;
    const resource = subresource === undefined ? kind.resource : `${kind.resource}/${subresource}`;
    const isForbidden = this.#forbidden.some(
      (right) =>
        right.verb === verb &&
        right.resource === resource &&
        (right.namespace === undefined || right.namespace === namespace),
    );
    return isForbidden ? forbidden(this.#user, target) : undefined;
  }
}
