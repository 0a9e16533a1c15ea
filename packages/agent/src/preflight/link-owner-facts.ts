// What NetworkManager and systemd-networkd say of the host's devices in their own files below /run:
// whether they manage one, and whether they leave alone what they did not add. It asks no service.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readOrNothing } from "../read-or-nothing.ts";

/** A device and who configures it. */
export interface ManagedLink {
  readonly link: string;
  /** Whether NetworkManager manages it; undefined: it says nothing of it. */
  readonly networkManager: boolean | undefined;
  /** The file that networkd configures it by; undefined: it does not. */
  readonly networkFile: string | undefined;
  /** `KeepConfiguration=` of that file; undefined: not set. */
  readonly keepConfiguration: string | undefined;
}

/** What was read. */
export interface LinkOwnerFacts {
  readonly links: readonly ManagedLink[];
  /** `ManageForeignRoutes=` of networkd.conf; networkd takes none as `yes`. */
  readonly manageForeignRoutes: string | undefined;
}

/** Folders of networkd's own configuration; the first one has the last word. */
const NETWORKD_FOLDERS = ["/etc/systemd", "/run/systemd", "/usr/lib/systemd"];

/** Reads them for these devices. Never rejects. */
export async function readLinkOwners(links: readonly string[]): Promise<LinkOwnerFacts> {
  const indexes = parseIndexes(await readOrNothing("/proc/net/igmp"));
  return {
    links: await Promise.all(links.map((link) => readLink(link, indexes.get(link)))),
    manageForeignRoutes: lastValue(await networkdTexts(), "ManageForeignRoutes"),
  };
}

/** The kernel's numbers of devices with IPv4; /sys may be that of another network namespace. */
function parseIndexes(table: string): ReadonlyMap<string, string> {
  const rows = table.matchAll(/^(\d+)\t(\S+)/gm);
  return new Map([...rows].map(([, index = "", name = ""]) => [name, index]));
}

async function readLink(link: string, index = "none"): Promise<ManagedLink> {
  const manager = await readOrNothing(`/run/NetworkManager/devices/${index}`);
  const managed = lastValue([manager], "managed");
  const state = await readOrNothing(`/run/systemd/netif/links/${index}`);
  const networkFile = lastValue([state], "NETWORK_FILE");
  const texts = networkFile === undefined ? [] : await withDropIns(networkFile);
  return {
    link,
    networkManager: managed === undefined ? undefined : managed === "true",
    networkFile,
    keepConfiguration: lastValue(texts, "KeepConfiguration"),
  };
}

/** networkd.conf and its drop-ins, those with the last word last. */
async function networkdTexts(): Promise<readonly string[]> {
  const texts: string[] = [];
  const folders = NETWORKD_FOLDERS.toReversed();
  for (const folder of folders) texts.push(await readOrNothing(join(folder, "networkd.conf")));
  for (const folder of folders) texts.push(...(await readFolder(join(folder, "networkd.conf.d"))));
  return texts;
}

/** A file of networkd and the drop-ins of its name. */
async function withDropIns(file: string): Promise<readonly string[]> {
  const name = file.slice(file.lastIndexOf("/") + 1);
  const texts = [await readOrNothing(file)];
  for (const folder of NETWORKD_FOLDERS.toReversed()) {
    texts.push(...(await readFolder(join(folder, "network", `${name}.d`))));
  }
  return texts;
}

async function readFolder(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const wanted = names.filter((name) => name.endsWith(".conf")).toSorted();
  return await Promise.all(wanted.map((name) => readOrNothing(join(folder, name))));
}

/** The last value of a key in files of `key=value`; comments start with `#` or `;`. */
export function lastValue(texts: readonly string[], key: string): string | undefined {
  let value: string | undefined;
  for (const line of texts.flatMap((text) => text.split("\n"))) {
    const at = line.indexOf("=");
    if (at > 0 && line.slice(0, at).trim() === key) value = line.slice(at + 1).trim();
  }
  return value === "" ? undefined : value;
}
