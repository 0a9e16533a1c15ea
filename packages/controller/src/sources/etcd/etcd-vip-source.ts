// VIPs that are declared in etcd, as a source: `<base>/vips/<name>`, written by hand or by us. What
// changes is translated and emitted as facts. It never writes, a bad declaration costs that one
// alone, and an etcd out of reach leaves everything in force as it is.

import type { Claim, ClaimId, Finding } from "@fairlead/model";
import { type Clock, createPace, describeError, type Pace } from "@fairlead/runtime";

import { crash } from "../../crash.ts";
import { ABSENCE_MS } from "../../judge-absence.ts";
import type { EtcdClient } from "../../etcd/etcd-client.ts";
import type { Fact } from "../../facts.ts";
import type { Source } from "../../ports.ts";
import { diffSnapshots, EMPTY_SNAPSHOT, type SourceSnapshot } from "../fact-diff.ts";
import { title } from "../quote.ts";
import type { ServiceBackends } from "../service-backends.ts";
import type { TranslateSettings } from "../translate-service.ts";
import { createDeclaredVips, type DeclaredVips } from "./declared-vips.ts";
import { followVips } from "./follow-vips.ts";
import { createVipClaims, type VipClaims } from "./vip-claims.ts";

/** Changes that come close together make one emission: this long a quiet, in ms. */
const QUIET_MS = 2;
const WAIT_MAX_MS = 50;
/** Whatever a watch missed shows after this long, and a second list confirms an absence. */
const LIST_MS = ABSENCE_MS + 1000;

/** How declarations are read. */
export interface EtcdVipSourceOptions {
  /** Stays the caller's: closed after the source. */
  readonly client: EtcdClient;
  /** Declarations stand below `<base>/vips/`. */
  readonly base: string;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly settings: TranslateSettings;
  /** Where Services are seen; absent: nowhere, so that only written members serve. */
  readonly backends?: ServiceBackends;
  /** Unique among the sources. Default: `etcd`. */
  readonly name?: string;
}

/** Makes the source; nothing is asked before `start`. */
export function createEtcdVipSource(options: EtcdVipSourceOptions): Source {
  return new EtcdVipSource(options);
}

class EtcdVipSource implements Source {
  readonly name: string;
  readonly #options: EtcdVipSourceOptions;
  readonly #prefix: string;
  readonly #vips: DeclaredVips;
  readonly #claims: VipClaims;
  readonly #pace: Pace;
  readonly #listed = Promise.withResolvers<void>();
  #emit: ((facts: readonly Fact[]) => void) | undefined;
  #following: AsyncDisposable | undefined;
  #said: SourceSnapshot = EMPTY_SNAPSHOT;
  /** Claims that were there when facts were last said. */
  #present: ReadonlySet<ClaimId> = new Set();
  #deleted = new Set<string>();
  #trouble: unknown;
  #isListPending = false;
  #isListed = false;

  constructor(options: EtcdVipSourceOptions) {
    this.name = options.name ?? "etcd";
    this.#options = options;
    this.#prefix = `${options.base}/vips/`;
    this.#vips = createDeclaredVips({ prefix: this.#prefix, absenceMs: ABSENCE_MS });
    this.#claims = createVipClaims({ settings: options.settings, backends: options.backends });
    this.#pace = createPace({
      clock: options.clock,
      quietMs: QUIET_MS,
      maxWaitMs: WAIT_MAX_MS,
      run: () => this.#say(),
      // A bug of ours: the process ends, and its supervisor restarts it.
      onError: crash,
    });
    options.backends?.onChange(() => void this.#pace.poke());
  }

  start(emit: (facts: readonly Fact[]) => void): Promise<void> {
    const { client, clock, random } = this.#options;
    this.#emit = emit;
    this.#following = followVips({
      client,
      clock,
      random,
      prefix: this.#prefix,
      vips: this.#vips,
      listMs: LIST_MS,
      onListed: () => {
        this.#isListPending = true;
        this.#pace.poke();
      },
      onChanges: (deleted) => {
        for (const name of deleted) this.#deleted.add(name);
        this.#pace.poke();
      },
      onTrouble: (trouble) => {
        this.#trouble = trouble;
        this.#pace.poke();
      },
    });
    return this.#listed.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#following?.[Symbol.asyncDispose]();
    await this.#pace[Symbol.asyncDispose]();
    // Without effect once it was listed; it must not count as unhandled where nobody waits.
    this.#listed.promise.catch(() => undefined);
    this.#listed.reject(new Error(`the source ${this.name} was stopped`));
  }

  #say(): void {
    const claims = new Map<ClaimId, Claim>();
    const present = new Set<ClaimId>();
    for (const [name, vip] of this.#vips.vips) {
      if (vip.vip !== undefined) {
        const claim = this.#claims.claimOf(`${this.#prefix}${name}`, vip.vip);
        claims.set(claim.id, claim);
      }
      if (vip.claim !== undefined && vip.absentSinceMs === undefined) present.add(vip.claim);
    }
    this.#claims.keep((key) => this.#vips.vips.has(key.slice(this.#prefix.length)));
    const next: SourceSnapshot = { claims, pools: new Map(), findings: this.#findings() };
    const facts = [
      ...diffSnapshots(this.name, this.#said, next, {
        // One that declares another namespace now is deleted as well: its key was seen.
        claim: ({ name }) => {
          const isThere = this.#deleted.has(name) || this.#vips.vips.has(name);
          return isThere ? "seen-deleted" : "absent";
        },
        pool: () => "absent",
      }),
      ...this.#comeBack(claims, present),
      ...this.#list(present),
    ];
    this.#said = next;
    this.#present = present;
    this.#deleted = new Set();
    if (facts.length > 0) this.#emit?.(facts);
    if (this.#isListed) this.#listed.resolve();
  }

  /** What was absent and is there again is said again: absence is judged by another clock. */
  #comeBack(claims: ReadonlyMap<ClaimId, Claim>, present: ReadonlySet<ClaimId>): readonly Fact[] {
    return [...claims.values()]
      .filter(({ id }) => present.has(id) && !this.#present.has(id) && this.#said.claims.has(id))
      .map((claim) => ({ kind: "claim-seen", source: this.name, claim }));
  }

  #list(claims: ReadonlySet<ClaimId>): readonly Fact[] {
    if (!this.#isListPending) return [];
    this.#isListPending = false;
    // A declaration that does not even say whose it is proves no absence; the first list is needed.
    const isWhole = [...this.#vips.vips.values()].every(({ claim }) => claim !== undefined);
    if (!isWhole && this.#isListed) return [];
    this.#isListed = true;
    const atMs = this.#options.clock.wallMs();
    return [{ kind: "source-listed", source: this.name, atMs, claims, pools: new Set() }];
  }

  #findings(): readonly Finding[] {
    const findings: Finding[] = [];
    for (const [name, { problem }] of this.#vips.vips) {
      if (problem === undefined) continue;
      const detail = `in etcd at ${title(`${this.#prefix}${name}`)}: ${problem}`;
      findings.push({
        subject: "object",
        name: title(`VirtualIP ${name}`),
        reason: "BadField",
        detail,
      });
    }
    const source = { subject: "source", name: this.name } as const;
    if (this.#trouble !== undefined) {
      const detail = describeError(this.#trouble);
      findings.push({ ...source, reason: "SourceUnreadable", detail });
    } else if (this.#isEmptied()) {
      const { size } = this.#vips.vips;
      const detail =
        `a whole list has none of the ${size} VIPs that were there; ` +
        "they stay in force until a second list agrees";
      findings.push({ ...source, reason: "SourceEmptied", detail });
    }
    return findings;
  }

  #isEmptied(): boolean {
    const all = [...this.#vips.vips.values()];
    return all.length > 0 && all.every(({ absentSinceMs }) => absentSinceMs !== undefined);
  }
}
