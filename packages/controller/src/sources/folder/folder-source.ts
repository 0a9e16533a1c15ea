// A folder of manifests as a source. It looks at the folder when the kernel hints at a change and
// every few seconds, reads what changed, and emits what differs. It never writes, and a folder
// that cannot be read leaves everything in force as it is.

import type { Claim, ClaimId, PoolName } from "@fairlead/model";
import {
  type Clock,
  EdgeError,
  type Pace,
  createPace,
  describeError,
  isEdgeError,
} from "@fairlead/runtime";

import { crash } from "../../crash.ts";
import type { Departure, Fact } from "../../facts.ts";
import { readPublished } from "../../folder/own-status.ts";
import type { Source } from "../../ports.ts";
import { type ClaimDeriver, type Published, createClaimDeriver } from "../derive-claims.ts";
import { EMPTY_SNAPSHOT, type SourceSnapshot, diffSnapshots } from "../fact-diff.ts";
import { type ObjectKind, identityKey } from "../objects.ts";
import { title } from "../quote.ts";
import type { ServiceBackends } from "../service-backends.ts";
import { type TranslateSettings, withStatus } from "../translate-service.ts";
import { EMPTY_GRACE_MS, type FileReading } from "./file-state.ts";
import { createFolderDisk, type FolderDisk } from "./folder-disk.ts";
import {
  EMPTY_FOLDER,
  type FolderState,
  filesToRead,
  foldLook,
  isEmptySome,
  isMissingSome,
} from "./folder-state.ts";
import { viewFolder } from "./folder-view.ts";
import { readManifest } from "./read-manifest.ts";
import type { ListedFile, Listing } from "./scan.ts";
import type { FolderWatch } from "./watch.ts";

/** A hint is followed by a look after this long a quiet, in ms. */
const QUIET_MS = 5;
/** A folder that never rests is looked at this often, in ms. */
const WAIT_MAX_MS = 100;
/** What went missing is looked for again after this long, in ms: editors save by renaming. */
const MISSING_MS = 50;
/** Files that are read at the same time. */
const READS_AT_ONCE = 8;
/** Without any hint the folder is looked at this often, in ms: hints get lost. */
export const AUDIT_MS = 10_000;

/** How a folder is read. */
export interface FolderSourceOptions {
  /** The folder's path. */
  readonly folder: string;
  readonly settings: TranslateSettings;
  readonly clock: Clock;
  /** Unique among the sources; `folder` by default. */
  readonly name?: string;
  /** Where the folder is. Default: on the file system of this machine. */
  readonly disk?: FolderDisk;
}

/** A folder as a source, and what claims of other sources need of it. */
export interface FolderSource extends Source {
  readonly backends: ServiceBackends;
}

/** Makes the source; nothing is looked at before `start`. */
export function createFolderSource(options: FolderSourceOptions): FolderSource {
  return new ManifestFolder(options);
}

/** Names of what a folder shows. */
interface Present {
  readonly claims: ReadonlySet<ClaimId>;
  readonly pools: ReadonlySet<PoolName>;
}

class ManifestFolder implements FolderSource {
  readonly name: string;
  readonly #options: FolderSourceOptions;
  readonly #deriver: ClaimDeriver;
  readonly #disk: FolderDisk;
  readonly #looks: Pace;
  readonly #watch: FolderWatch;
  readonly #listed = Promise.withResolvers<void>();
  /** Who is told that some Service may have another backend. */
  readonly #listeners: (() => void)[] = [];
  #emit: ((facts: readonly Fact[]) => void) | undefined;
  #state: FolderState = EMPTY_FOLDER;
  #said: SourceSnapshot = EMPTY_SNAPSHOT;
  /** What the folder showed at the last look; the rest of what was said is absent. */
  #present: Present = { claims: new Set(), pools: new Set() };
  #isListed = false;
  #hints = new Set<string>();
  /** What status files said before the first look; later ones matter when a lead begins. */
  #published: Published = new Map();

  constructor(options: FolderSourceOptions) {
    this.name = options.name ?? "folder";
    this.#options = options;
    this.#deriver = createClaimDeriver(options.settings);
    this.#looks = createPace({
      clock: options.clock,
      quietMs: QUIET_MS,
      maxWaitMs: WAIT_MAX_MS,
      run: () => this.#look(),
      onError: (error) => this.#fail(error),
    });
    this.#disk = options.disk ?? createFolderDisk(options.folder);
    this.#watch = this.#disk.watch((path) => {
      if (path !== undefined) this.#hints.add(path);
      this.#looks.poke();
    });
  }

  get backends(): ServiceBackends {
    return {
      find: (key) => this.#deriver.backend(key),
      onChange: (listener) => void this.#listeners.push(listener),
    };
  }

  start(emit: (facts: readonly Fact[]) => void): Promise<void> {
    this.#emit = emit;
    this.#looks.poke();
    return this.#listed.promise;
  }

  async sayStatuses(claims: ReadonlySet<ClaimId>): Promise<void> {
    if (!this.#isListed) return;
    const published = readPublished(await this.#disk.readStatuses());
    const facts: Fact[] = [];
    for (const [id, said] of this.#said.claims) {
      const addresses = published.get(`${said.namespace}/${said.name}`) ?? [];
      const claim = claims.has(id) ? withStatus(said, addresses) : said;
      if (claim !== said) facts.push({ kind: "claim-seen", source: this.name, claim });
    }
    if (facts.length > 0) this.#emit?.(facts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch[Symbol.dispose]();
    await this.#looks[Symbol.asyncDispose]();
    const message = `the source ${this.name} was stopped`;
    // Without effect once it was listed; it must not count as unhandled where nobody waits.
    this.#listed.promise.catch(() => undefined);
    this.#listed.reject(new EdgeError({ code: "STOPPED", message, retryable: false }));
  }

  async #look(): Promise<void> {
    this.#looks.pokeIn(AUDIT_MS);
    const hints = this.#hints;
    this.#hints = new Set();
    let listing: Listing;
    try {
      listing = await this.#disk.scan();
    } catch (error) {
      // Kept for the look that succeeds: they tell what was deleted meanwhile.
      for (const hint of hints) this.#hints.add(hint);
      throw error;
    }
    if (this.#watch.follow(listing.folders)) this.#looks.poke();
    const readings = await this.#read(filesToRead(this.#state, listing, hints));
    const nowMs = this.#options.clock.nowMs();
    this.#state = foldLook(this.#state, { listing, readings, hints, nowMs });
    if (!this.#isListed) this.#published = readPublished(await this.#disk.readStatuses());
    this.#say();
    this.#published = new Map();
    if (isMissingSome(this.#state)) this.#looks.pokeIn(MISSING_MS);
    else if (isEmptySome(this.#state)) this.#looks.pokeIn(EMPTY_GRACE_MS);
  }

  async #read(files: readonly ListedFile[]): Promise<ReadonlyMap<string, FileReading>> {
    const readings = new Map<string, FileReading>();
    for (let index = 0; index < files.length; index += READS_AT_ONCE) {
      const some = files.slice(index, index + READS_AT_ONCE);
      await Promise.all(
        some.map(async (file) => {
          const reading = await readManifest(this.#disk, file);
          if (reading !== undefined) readings.set(file.path, reading);
        }),
      );
    }
    return readings;
  }

  #say(): void {
    const view = viewFolder(this.#state, this.#options.folder);
    const derived = this.#deriver.derive(view.objects, this.#published);
    const next: SourceSnapshot = { ...derived, findings: view.findings };
    const list = {
      claims: keysIn(derived.claims, view.services),
      pools: keysIn(derived.pools, view.pools),
    };
    const { expired } = this.#state;
    const departure = (kind: ObjectKind, namespace: string, name: string): Departure =>
      expired.has(identityKey({ kind, namespace, name })) ? "absent" : "seen-deleted";
    const how = {
      claim: ({ namespace, name }: Claim) => departure("Service", namespace, name),
      pool: (name: PoolName) => departure("AddressPool", "", name),
    };
    const facts = [...diffSnapshots(this.name, this.#said, next, how)];
    facts.push(...this.#comeBack(next, list));
    this.#said = next;
    this.#present = list;
    // A list that hides something proves no absence; the first one is needed to begin at all.
    if (view.isWhole || !this.#isListed) {
      const atMs = this.#options.clock.wallMs();
      facts.push({ kind: "source-listed", source: this.name, atMs, ...list });
    }
    this.#isListed = true;
    if (facts.length > 0) this.#emit?.(facts);
    for (const listener of this.#listeners) listener();
    this.#listed.resolve();
  }

  /**
   * What was absent and is there again is said again: whoever listens measures absence by a clock
   * of its own, and may have given it up a moment ago.
   */
  #comeBack(next: SourceSnapshot, now: Present): readonly Fact[] {
    const source = this.name;
    const facts: Fact[] = [];
    for (const [name, pool] of next.pools) {
      if (!now.pools.has(name) || this.#present.pools.has(name)) continue;
      if (this.#said.pools.has(name)) facts.push({ kind: "pool-seen", source, pool });
    }
    for (const [id, claim] of next.claims) {
      if (!now.claims.has(id) || this.#present.claims.has(id)) continue;
      if (this.#said.claims.has(id)) facts.push({ kind: "claim-seen", source, claim });
    }
    return facts;
  }

  #fail(error: unknown): void {
    if (isEdgeError(error, "NOT_A_FOLDER") && !this.#isListed) this.#listed.reject(error);
    if (!isEdgeError(error)) {
      // A bug of ours: the process ends, and its supervisor restarts it.
      return crash(error);
    }
    const finding = {
      subject: "source",
      name: title(this.#options.folder),
      reason: "SourceUnreadable",
      detail: describeError(error),
    } as const;
    const rest = this.#said.findings.filter(
      ({ subject, name }) => subject !== finding.subject || name !== finding.name,
    );
    const next = { ...this.#said, findings: [...rest, finding] };
    const never = (): Departure => "absent";
    const facts = diffSnapshots(this.name, this.#said, next, { claim: never, pool: never });
    this.#said = next;
    if (facts.length > 0) this.#emit?.(facts);
  }
}

function keysIn<K>(map: ReadonlyMap<K, unknown>, set: ReadonlySet<K>): ReadonlySet<K> {
  return new Set([...map.keys(), ...set].filter((key) => set.has(key)));
}
