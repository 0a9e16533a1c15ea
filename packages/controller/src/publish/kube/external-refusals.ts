// Why addresses of Services may not stand in `spec.externalIPs` although that was asked for: for
// all, as an agent runs on a node, or for one, as the API server does not take it. Remembers what
// was judged; it writes and tells nothing.

import type { ClaimId } from "@fairlead/model";

import type { WantedService } from "./wanted-service.ts";

/** What is refused now. There is none at first. */
export class ExternalRefusals {
  #forAll: string | undefined;
  readonly #denied = new Map<ClaimId, string>();

  /** Takes why nothing may stand there, and who asks for it. Returns whether that is news. */
  judge(why: string | undefined, asking: Iterable<ClaimId>): boolean {
    const asks = new Set(asking);
    for (const id of this.#denied.keys()) if (!asks.has(id)) this.#denied.delete(id);
    const isNews = why !== this.#forAll;
    this.#forAll = why;
    return isNews;
  }

  /** Takes what the API server said of the Service's list; undefined: it took it. */
  answered(id: ClaimId, denied: string | undefined): void {
    if (denied === undefined) this.#denied.delete(id);
    else this.#denied.set(id, denied);
  }

  /** What is wanted of the Service, with why some of it is refused. */
  in(id: ClaimId, wanted: WantedService): WantedService {
    const { claim } = wanted;
    if (claim?.external === undefined) return wanted;
    const externalRefused = this.#forAll ?? this.#denied.get(id);
    if (externalRefused === undefined) return wanted;
    // What the API server denies is offered again; on a node what stands there goes.
    const { external, ...rest } = claim;
    const offered = this.#forAll === undefined ? { external } : {};
    return { ...wanted, claim: { ...rest, ...offered, externalRefused } };
  }
}
