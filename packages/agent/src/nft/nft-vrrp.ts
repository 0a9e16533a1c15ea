// Hears who speaks VRRP on the host's links: a table of our own in nftables keeps source and router
// id of each packet of protocol 112 for a minute. Given the program `nft`; it lets every packet
// pass. Its set is bounded, and is read every few seconds at most.

import { type Socket, createSocket } from "node:dgram";
import { networkInterfaces } from "node:os";
import type { HeardRouter } from "@fairlead/model";
import { type Clock, type Logger, describeError, runProgram } from "@fairlead/runtime";
import type { VrrpListener } from "../ports.ts";
import { heardRouters } from "./heard-routers.ts";

/** What the listener is made of. */
export interface NftVrrpOptions {
  /** `nft`, an absolute path. */
  readonly program: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const TABLE = "fairlead_vrrp";
/** The set is read again when what is known is older than this: 20 ms of a process. */
const READ_EVERY_MS = 5000;
/** Where the kernel has no such tables it is tried again this often. */
const RETRY_MS = 60_000;
const NFT_MS_MAX = 5000;
const OUTPUT_BYTES_MAX = 256 * 1024;
/** VRRP's groups (RFC 9568): a network device hands up only what somebody on the host asks for. */
const GROUPS = { IPv4: "224.0.0.18", IPv6: "ff02::12" } as const;

/** The second byte of a VRRP packet is the router id. Sets outlive that this is loaded again. */
const RULES = `table inet ${TABLE} {
  set heard4 { typeof iifname . ip saddr . @th,8,8; flags dynamic,timeout; size 512; timeout 60s; }
  set heard6 { typeof iifname . ip6 saddr . @th,8,8; flags dynamic,timeout; size 512; timeout 60s; }
  chain hear { type filter hook prerouting priority raw - 10; policy accept; }
}
flush chain inet ${TABLE} hear
add rule inet ${TABLE} hear ip protocol 112 update @heard4 { iifname . ip saddr . @th,8,8 }
add rule inet ${TABLE} hear ip6 nexthdr 112 update @heard6 { iifname . ip6 saddr . @th,8,8 }
`;

/** Makes the listener; it begins to listen when it is first asked. */
export function createNftVrrp(options: NftVrrpOptions): VrrpListener {
  return new Listener(options);
}

class Listener implements VrrpListener {
  readonly #options: NftVrrpOptions;
  readonly #sockets: Readonly<Record<keyof typeof GROUPS, Socket>>;
  #heard: readonly HeardRouter[] = [];
  #dueMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #trouble: string | undefined;

  constructor(options: NftVrrpOptions) {
    this.#options = options;
    this.#sockets = { IPv4: openSocket("udp4"), IPv6: openSocket("udp6") };
  }

  heard(): readonly HeardRouter[] {
    const { clock } = this.#options;
    if (this.#reading === undefined && clock.nowMs() >= this.#dueMs) {
      this.#reading = this.#read().finally(() => (this.#reading = undefined));
    }
    return this.#heard;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#dueMs = Number.POSITIVE_INFINITY;
    await this.#reading;
    for (const socket of Object.values(this.#sockets)) socket.close();
    await this.#nft(["delete", "table", "inet", TABLE]).catch(() => undefined);
  }

  async #read(): Promise<void> {
    const { clock, logger } = this.#options;
    this.#joinGroups();
    try {
      this.#heard = await this.#list();
      this.#trouble = undefined;
      this.#dueMs = clock.nowMs() + READ_EVERY_MS;
    } catch (error) {
      const trouble = describeError(error);
      if (trouble !== this.#trouble) logger.warn({ trouble }, "cannot hear who speaks VRRP");
      this.#trouble = trouble;
      this.#heard = [];
      this.#dueMs = clock.nowMs() + RETRY_MS;
    }
  }

  async #list(): Promise<readonly HeardRouter[]> {
    const list = ["-j", "list", "table", "inet", TABLE];
    const listed = await this.#nft(list);
    if (listed.code === 0) return heardRouters(listed.stdout);
    const loaded = await this.#nft(["-f", "-"], RULES);
    if (loaded.code !== 0) throw new Error(loaded.stderr.trim().split("\n")[0]);
    return [];
  }

  async #nft(args: readonly string[], input = ""): ReturnType<typeof runProgram> {
    const limits = { timeoutMs: NFT_MS_MAX, maxOutputBytes: OUTPUT_BYTES_MAX };
    return await runProgram({ command: this.#options.program, args, input, ...limits });
  }

  /** On every link that is there now; one that was joined before says so, and is. */
  #joinGroups(): void {
    for (const [name, addresses] of Object.entries(networkInterfaces())) {
      for (const { family, address, internal } of addresses ?? []) {
        if (internal) continue;
        const on = family === "IPv4" ? address : `::%${name}`;
        try {
          this.#sockets[family].addMembership(GROUPS[family], on);
        } catch {
          // Joined already, or the device goes: then there is nothing to hear.
        }
      }
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
