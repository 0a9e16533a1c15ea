// Finds VIPs that change instances between two files. keepalived deletes such an address and may
// never add it again (into an earlier instance: tried), so it needs a reload without it between.
// Given the texts; pure.

import {
  type FileAddress,
  type FileInstance,
  type ReadInstances,
  readInstances,
} from "./file-addresses.ts";

/** A file to load before the wanted one. */
export interface FirstReload {
  readonly text: string;
  /** What the text leaves out, to be seen gone before the second reload. */
  readonly left: readonly FileAddress[];
}

/**
 * The file to load first; undefined when one reload does.
 * @param before what keepalived may run; more than one where nobody saw which it took.
 */
export function firstReload(
  before: readonly string[],
  wanted: string,
  read: ReadInstances = readInstances,
): FirstReload | undefined {
  const instancesBefore = before.map((text) => instancesByAddress(read(text)));
  const left: FileAddress[] = [];
  for (const instance of read(wanted)) {
    for (const vip of instance.vips) {
      const moves = instancesBefore.some((instances) => {
        const from = instances.get(vip.address);
        return from !== undefined && from !== instance.name;
      });
      if (moves) left.push(vip);
    }
  }
  if (left.length === 0) return undefined;
  const lines = new Set(left.map((entry) => entry.line));
  const text = wanted
    .split("\n")
    .filter((_, line) => !lines.has(line))
    .join("\n");
  return { text, left };
}

function instancesByAddress(instances: readonly FileInstance[]): ReadonlyMap<string, string> {
  return new Map(
    instances.flatMap((instance) =>
      instance.vips.map((vip): [string, string] => [vip.address, instance.name]),
    ),
  );
}
