// Hears who speaks VRRP on the host's links: a table of our own in nftables keeps source and router
// id of each packet of protocol 112 for a minute, once as it comes in and once when the host's
// firewalls have let it through. Given the program `nft`, which loads it, and what reads its sets;
// it lets every packet pass. They are bounded, and are read every few seconds, or as often as
// somebody asks.

import { type Socket, createSocket } from "node:dgram";
import { type HeardRouter, type Link, familyOf } from "@fairlead/model";
import { withoutTable } from "@fairlead/render";
import { type Clock, EdgeError, type Logger, describeError, runProgram } from "@fairlead/runtime";
import type { Hearing, RouterElement, RouterSets, VrrpListener } from "../ports.ts";
import { heardRouters, passedAdverts } from "./heard-routers.ts";
import { loadRules } from "./load-rules.ts";

/** What the listener is made of. */
export interface NftVrrpOptions {
  /** `nft`, an absolute path. */
  readonly program: string;
  readonly sets: Pick<RouterSets, "read">;
  readonly clock: Clock;
  readonly logger: Logger;
}

const TABLE = "fairlead_vrrp";
/** The sets are read again when what is known is older than this. */
const READ_EVERY_MS = 5000;
/** Where the kernel has no such tables it is tried again this often. */
const RETRY_MS = 60_000;
/** After a failure it is tried again this soon, as long as what was read before counts. */
const RETRY_SOON_MS = 1000;
/**
 * What was read counts for this long while reading fails: who cannot hear runs its lanes, so that
 * one failure would let a host into a lane whose holder it does not hear.
 */
const READING_MS_MAX = 15_000;
const NFT_MS_MAX = 5000;
const OUTPUT_BYTES_MAX = 256 * 1024;
/** VRRP's groups (RFC 9568): a network device hands up only what somebody on the host asks for. */
const GROUPS = { IPv4: "224.0.0.18", IPv6: "ff02::12" } as const;

/** The second byte of a VRRP packet is the router id. Sets outlive that this is loaded again. */
const RULES = `table inet ${TABLE} {
  set heard4 { typeof iifname . ip saddr . @th,8,8; flags dynamic,timeout; size 512; timeout 60s; }
  set heard6 { typeof iifname . ip6 saddr . @th,8,8; flags dynamic,timeout; size 512; timeout 60s; }
  set passed4 { typeof iifname . ip saddr . @th,8,8; flags dynamic,timeout; size 512; timeout 60s; }
  set passed6 { typeof iifname . ip6 saddr . @th,8,8; flags dynamic,timeout; size 512; timeout 60s; }
  chain hear { type filter hook prerouting priority raw - 10; policy accept; }
  chain pass { type filter hook input priority 300; policy accept; }
}
flush chain inet ${TABLE} hear
flush chain inet ${TABLE} pass
add rule inet ${TABLE} hear ip protocol 112 update @heard4 { iifname . ip saddr . @th,8,8 }
add rule inet ${TABLE} hear ip6 nexthdr 112 update @heard6 { iifname . ip6 saddr . @th,8,8 }
add rule inet ${TABLE} pass ip protocol 112 update @passed4 { iifname . ip saddr . @th,8,8 }
add rule inet ${TABLE} pass ip6 nexthdr 112 update @passed6 { iifname . ip6 saddr . @th,8,8 }
`;

/** Makes the listener; it begins to listen when it is first asked. */
export function createNftVrrp(options: NftVrrpOptions): VrrpListener {
  return new Listener(options);
}

/** Removes the table, also of an agent that was killed. Rejects with EdgeError "NFT". */
export async function forgetHeard(program: string): Promise<void> {
  const trouble = await loadRules({ program, timeoutMs: NFT_MS_MAX }, `${withoutTable(TABLE)}\n`);
  if (trouble === undefined) return;
  const message = `what was heard of VRRP cannot be removed: ${trouble}`;
  throw new EdgeError({ code: "NFT", message, retryable: true });
}

class Listener implements VrrpListener {
  readonly #options: NftVrrpOptions;
  /** Whether the table was there, as far as is known. */
  #isLoaded = false;
  readonly #sockets: Readonly<Record<keyof typeof GROUPS, Socket>>;
  #heard: readonly HeardRouter[] = [];
  #hearing: Hearing | undefined;
  /** After a failure nothing is read before then, whoever asks. */
  #dueMs = Number.NEGATIVE_INFINITY;
  /** Those of the last look, and those whose groups were joined. */
  #links: readonly Link[] = [];
  #joined: readonly Link[] | undefined;
  #reading: Promise<void> | undefined;
  #trouble: string | undefined;
  #isEnded = false;

  constructor(options: NftVrrpOptions) {
    this.#options = options;
    this.#sockets = { IPv4: openSocket("udp4"), IPv6: openSocket("udp6") };
  }

  get isAble(): boolean {
    return this.#trouble === undefined || this.#hearing !== undefined;
  }

  heard(links: readonly Link[]): readonly HeardRouter[] {
    this.#links = links;
    if (this.#options.clock.nowMs() >= this.#dueMs) this.#beginToRead();
    return this.#heard;
  }

  adverts(ageMsMax: number): Hearing | undefined {
    const isOld =
      this.#hearing !== undefined && this.#options.clock.nowMs() - this.#hearing.readMs >= ageMsMax;
    if (isOld) this.#beginToRead();
    return this.#hearing;
  }

  #beginToRead(): void {
    const rests = this.#trouble !== undefined && this.#options.clock.nowMs() < this.#dueMs;
    if (this.#isEnded || rests) return;
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    await this.#reading;
    for (const socket of Object.values(this.#sockets)) socket.close();
    await forgetHeard(this.#options.program).catch(() => undefined);
  }

  async #read(): Promise<void> {
    this.#joinGroups();
    try {
      await this.#list();
      this.#trouble = undefined;
      this.#dueMs = this.#options.clock.nowMs() + READ_EVERY_MS;
    } catch (error) {
      this.#fail(describeError(error));
    }
  }

  #fail(trouble: string): void {
    const { clock, logger } = this.#options;
    if (trouble !== this.#trouble) logger.warn({ trouble }, "cannot hear who speaks VRRP");
    this.#trouble = trouble;
    const nowMs = clock.nowMs();
    const counts = this.#hearing !== undefined && nowMs - this.#hearing.readMs < READING_MS_MAX;
    this.#dueMs = nowMs + (counts ? RETRY_SOON_MS : RETRY_MS);
    if (counts) return;
    this.#heard = [];
    this.#hearing = undefined;
  }

  async #list(): Promise<void> {
    // An agent before this one may have left a table that has not all of it.
    if (this.#isLoaded && (await this.#readSets())) return;
    this.#isLoaded = false;
    const loaded = await this.#nft(["-f", "-"], RULES);
    if (loaded.code !== 0) throw new Error(loaded.stderr.trim().split("\n")[0]);
    this.#isLoaded = await this.#readSets();
  }

  /** False: somebody has removed them. */
  async #readSets(): Promise<boolean> {
    const readMs = this.#options.clock.nowMs();
    const heard = await this.#readBoth("heard");
    const passed = await this.#readBoth("passed");
    if (heard === undefined || passed === undefined) return false;
    this.#heard = heardRouters(heard);
    this.#hearing = { readMs, adverts: passedAdverts(passed, readMs) };
    return true;
  }

  /** Of both families. */
  async #readBoth(kind: "heard" | "passed"): Promise<readonly RouterElement[] | undefined> {
    const { sets } = this.#options;
    const ipv4 = await sets.read(TABLE, `${kind}4`);
    const ipv6 = await sets.read(TABLE, `${kind}6`);
    return ipv4 && ipv6 && [...ipv4, ...ipv6];
  }

  async #nft(args: readonly string[], input = ""): ReturnType<typeof runProgram> {
    const limits = { timeoutMs: NFT_MS_MAX, maxOutputBytes: OUTPUT_BYTES_MAX };
    return await runProgram({ command: this.#options.program, args, input, ...limits });
  }

  /** Anew for each new look at the host: a device may have gone and come back meanwhile. */
  #joinGroups(): void {
    if (this.#joined === this.#links) return;
    this.#joined = this.#links;
    for (const { name, prefixes } of this.#links) {
      const address = prefixes.find((prefix) => familyOf(prefix.address) === "ipv4")?.address;
      if (address !== undefined) this.#join("IPv4", address);
      this.#join("IPv6", `::%${name}`);
    }
  }

  #join(family: keyof typeof GROUPS, on: string): void {
    try {
      this.#sockets[family].addMembership(GROUPS[family], on);
    } catch {
      // Joined already, or the device goes: then there is nothing to hear.
    }
  }
}

/** Never bound to a port that anything is sent to: it is there for its memberships alone. */
function openSocket(type: "udp4" | "udp6"): Socket {
  const socket = createSocket(type);
  socket.on("error", () => undefined);
  socket.unref();
  return socket;
}
