// Watches every publication of a day: an address that comes to stand there for a claim was proved,
// so that a kernel has it, or had it as long ago as a proof counts; and it stands there no more
// soon after all agents said that they do not have it. Given the ring; it changes nothing.

import type { HolderEvent } from "@fairlead/lab";
import { type Address, claimTitle, vipName } from "@fairlead/model";
import { WITHDRAW_AFTER_MS } from "@fairlead/planner";

import type { Ring } from "../scenario/ring.ts";

/**
 * An agent's proof counts for this long after its last word: a controller that has not noticed yet
 * that its host died goes by it. The `staleAfterMs` of the ring.
 */
const PROOF_MS_MAX = 60_000;

/** A leader that was taken over says what it knows for as long as this, in ms. */
const OLD_LEADER_MS = 15_000;

/** A burst of facts waits for its plan this long, and a plan for its publication, in ms. */
const PACE_MS_MAX = 50;

/**
 * Plans whose rows are written one after the other until an address is out of the status: the one
 * that set the clock for it, one that was under way when it rang, and the one that withdraws.
 */
const WRITES_MAX = 3;

/** What is watched. */
export interface PublicationWatch {
  /** What went wrong, in the order of time. */
  readonly faults: readonly string[];
  /** Looks whether something stays there that nobody has. */
  look(): void;
}

/** Looks at each publication from now on. */
export function watchPublications(ring: Ring): PublicationWatch {
  return new Watch(ring);
}

type Verdicts = NonNullable<Ring["controller"]["published"]>["verdicts"];

/** What stands published of one address of one claim. */
interface Entry {
  readonly address: Address;
  readonly title: string;
  /** When everybody had said that he does not have it; undefined: somebody may have it. */
  deniedMs: number | undefined;
}

class Watch implements PublicationWatch {
  readonly faults: string[] = [];
  readonly #ring: Ring;
  #entries = new Map<string, Entry>();
  /** When each was published last, by whomever. */
  readonly #saidMs = new Map<string, number>();
  /** What nobody took back since: a claim of a source that cannot be read keeps its status. */
  readonly #standing = new Map<string, { readonly uid: string; readonly address: Address }>();
  #failures = 0;
  #storeMsMax = 0;

  constructor(ring: Ring) {
    this.#ring = ring;
    ring.controller.onPublished = (publication) => this.#onPublished(publication.verdicts);
  }

  #onPublished(verdicts: Verdicts): void {
    const { history, clock } = this.#ring;
    const atMs = clock.nowMs();
    const before = this.#entries;
    this.#entries = new Map();
    this.#forgetTakenBack(verdicts);
    for (const { claim, uid, addresses } of verdicts.values()) {
      for (const { address } of addresses.filter(({ published }) => published)) {
        const key = `${uid} ${address}`;
        const title = claimTitle(claim);
        const known = before.get(key);
        this.#entries.set(key, known ?? { address, title, deniedMs: undefined });
        const saidMs = this.#saidMs.get(key);
        this.#saidMs.set(key, atMs);
        const hasStood = this.#standing.has(key);
        this.#standing.set(key, { uid, address });
        if (known !== undefined || hasStood) continue;
        if (saidMs !== undefined && atMs - saidMs <= OLD_LEADER_MS) continue;
        const lastMs = lastHeldMs(history, address, atMs);
        if (lastMs !== undefined && atMs - lastMs <= PROOF_MS_MAX) continue;
        const since = lastMs === undefined ? "ever" : `for ${atMs - lastMs} ms`;
        const what = `${address} was published for ${title}`;
        this.faults.push(`at ${atMs} ms: ${what}, and no host had it ${since}`);
      }
    }
  }

  #forgetTakenBack(verdicts: Verdicts): void {
    const byUid = new Map(Array.from(verdicts.values(), (one) => [one.uid, one]));
    for (const [key, { uid, address }] of this.#standing) {
      const owners = this.#ring.medium.leases.get(address)?.owners ?? [];
      const isOwned = owners.some((owner) => owner.uid === uid);
      const said = byUid.get(uid)?.addresses.find((one) => one.address === address);
      const isTakenBack = byUid.has(uid) && said?.published !== true;
      if (isTakenBack || !isOwned) this.#standing.delete(key);
    }
  }

  look(): void {
    const atMs = this.#ring.clock.nowMs();
    const isHindered = this.#isHindered();
    for (const [key, entry] of this.#entries) {
      if (isHindered || !this.#isDenied(entry.address)) entry.deniedMs = undefined;
      else entry.deniedMs ??= atMs;
      const { deniedMs, address, title } = entry;
      if (deniedMs === undefined || atMs - deniedMs <= this.#withdrawMsMax()) continue;
      this.#entries.delete(key);
      const what = `${address} is published for ${title}`;
      this.faults.push(`at ${atMs} ms: ${what}, and all said ${atMs - deniedMs} ms ago: not here`);
    }
  }

  /** Time from everybody's word until it is out of the status, while nothing fails. */
  #withdrawMsMax(): number {
    return WITHDRAW_AFTER_MS + WRITES_MAX * (PACE_MS_MAX + this.#storeMsMax) + 2 * PACE_MS_MAX;
  }

  /** Whether nothing can be withdrawn now: who would do it is not there, or cannot write. */
  #isHindered(): boolean {
    const { controller, faults } = this.#ring;
    this.#storeMsMax = Math.max(this.#storeMsMax, controller.storeMs);
    const failures = faults.failures.get("writing the status") ?? 0;
    const hasFailed = failures > this.#failures;
    this.#failures = failures;
    const view = controller.context()?.view;
    if (view?.plan === undefined || view.notReady !== undefined || hasFailed) return true;
    return view.findings.some(({ reason }) => reason === "StoreUnavailable");
  }

  /** Whether all who could have the address are there, and say that they do not. */
  #isDenied(address: Address): boolean {
    const view = this.#ring.controller.context()?.view;
    const row = this.#ring.medium.leases.get(address);
    const lane =
      row?.placement.kind === "lane" ? view?.plan?.lanes.get(row.placement.lane) : undefined;
    const alone = row?.placement.kind === "host" ? [row.placement.agent] : [];
    const named = new Set([...(row?.sentTo ?? []), ...(lane?.order ?? []), ...alone]);
    // After a lost store it may be with anybody.
    if (named.size === 0) for (const { name } of this.#ring.agents.values()) named.add(name);
    const agents = view?.state.agents;
    for (const name of new Set([...named, ...(agents?.keys() ?? [])])) {
      const agent = agents?.get(name);
      if (agent?.report === undefined || !agent.connected) {
        if (named.has(name)) return false;
      } else if (agent.report.resources.get(vipName(address))?.step === "serving") return false;
    }
    return true;
  }
}

/** When a host last had the address; undefined: none ever had. */
function lastHeldMs(
  history: readonly HolderEvent[],
  address: string,
  nowMs: number,
): number | undefined {
  const holders = new Set<string>();
  let lastMs: number | undefined;
  for (const one of history) {
    if (one.address !== address) continue;
    if (one.event === "added") holders.add(one.host);
    else holders.delete(one.host);
    lastMs = one.atMs;
  }
  return holders.size > 0 ? nowMs : lastMs;
}
