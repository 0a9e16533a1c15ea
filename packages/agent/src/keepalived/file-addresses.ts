// Reads back from a keepalived.conf what it would put on the host: instances, anchors and VIPs.
// Given the text; pure. It decides nothing of what the file should say: it is the check between
// the renderer and the daemon, which takes an empty file as the wish to drop every address.

/** One address of an instance as the file says it. */
export interface FileAddress {
  /** Without its prefix length. */
  readonly address: string;
  /** 0 to 32 or 128; the whole length where the file gives none. */
  readonly prefixLength: number;
  /** The device it names, or that of its instance. */
  readonly device: string;
  /** Number of its line, from 0. */
  readonly line: number;
}

/** One VRRP instance of the file. */
export interface FileInstance {
  readonly name: string;
  /** Of `virtual_ipaddress`. */
  readonly anchors: readonly FileAddress[];
  /** Of `virtual_ipaddress_excluded`. */
  readonly vips: readonly FileAddress[];
}

/** The instances of a file, in order. */
export function readInstances(text: string): readonly FileInstance[] {
  const instances: OpenInstance[] = [];
  const blocks: string[] = [];
  for (const [line, raw] of text.split("\n").entries()) {
    const words = wordsOf(raw);
    const first = words[0];
    if (first === undefined) continue;
    if (first === "}") {
      blocks.pop();
    } else if (words.at(-1) === "{") {
      blocks.push(first);
      if (first === "vrrp_instance" && blocks.length === 1) {
        instances.push({ name: words[1] ?? "", device: "", anchors: [], vips: [] });
      }
    } else {
      const instance = instances.at(-1);
      if (instance !== undefined && blocks[0] === "vrrp_instance") {
        readWords(instance, blocks[1], words, line);
      }
    }
  }
  return instances.map(closed);
}

/** The instances of a file, in order; of a text read lately, the very same list. */
export type ReadInstances = (text: string) => readonly FileInstance[];

/** A reload looks at the file before and the wanted one, and moves between lanes at a third. */
const TEXTS_KEPT = 3;

/** Makes a reader as `readInstances` that knows the texts it read last. */
export function createInstanceReader(): ReadInstances {
  const known = new Map<string, readonly FileInstance[]>();
  return (text) => {
    const instances = known.get(text) ?? readInstances(text);
    known.delete(text);
    known.set(text, instances);
    for (const oldest of known.keys()) {
      if (known.size <= TEXTS_KEPT) break;
      known.delete(oldest);
    }
    return instances;
  };
}

/** All addresses that keepalived may add for the file, anchors included. */
export function addressesOf(instances: readonly FileInstance[]): readonly FileAddress[] {
  return instances.flatMap((instance) => [...instance.anchors, ...instance.vips]);
}

/** How many VIPs the instances list, anchors not counted. */
export function countVips(instances: readonly FileInstance[]): number {
  return instances.reduce((sum, instance) => sum + instance.vips.length, 0);
}

/**
 * Commands for `ip -batch` that remove the addresses. Only addresses and device names that hold
 * nothing but their own letters get in.
 */
export function sweepCommands(addresses: readonly FileAddress[]): string {
  const lines = addresses
    .filter((entry) => /^[0-9a-f.:]+$/.test(entry.address) && /^[\w.-]+$/.test(entry.device))
    .map((entry) => `address delete ${entry.address}/${entry.prefixLength} dev ${entry.device}\n`);
  return [...new Set(lines)].sort().join("");
}

interface OpenInstance {
  readonly name: string;
  device: string;
  readonly anchors: FileAddress[];
  readonly vips: FileAddress[];
}

/** keepalived reads words line by line; `#` and `!` start comments. */
function wordsOf(line: string): readonly string[] {
  return line
    .replace(/[#!].*$/, "")
    .split(/\s+/)
    .filter((word) => word !== "");
}

function readWords(
  instance: OpenInstance,
  block: string | undefined,
  words: readonly string[],
  line: number,
): void {
  if (block === undefined && words[0] === "interface") instance.device = words[1] ?? "";
  if (block === "virtual_ipaddress") instance.anchors.push(fileAddress(words, line));
  if (block === "virtual_ipaddress_excluded") instance.vips.push(fileAddress(words, line));
}

function fileAddress(words: readonly string[], line: number): FileAddress {
  const [address = "", length] = (words[0] ?? "").split("/");
  const dev = words.indexOf("dev");
  return {
    address,
    prefixLength: length === undefined ? (address.includes(":") ? 128 : 32) : Number(length),
    device: dev < 0 ? "" : (words[dev + 1] ?? ""),
    line,
  };
}

/** The instance's own device may stand below its addresses, so it is filled in at the end. */
function closed(instance: OpenInstance): FileInstance {
  const filled = (entry: FileAddress): FileAddress =>
    entry.device === "" ? { ...entry, device: instance.device } : entry;
  return {
    name: instance.name,
    anchors: instance.anchors.map(filled),
    vips: instance.vips.map(filled),
  };
}
