// A folder of manifests in memory, for the real folder source: files come and go with hints, the
// folder may be unmounted and come back. Given nothing; it answers at once.

import type { FolderDisk, Listing } from "@fairlead/controller";
import { EdgeError } from "@fairlead/runtime";

/** A folder that tests write to. */
export interface MemoryFolder {
  readonly disk: FolderDisk;
  write(path: string, text: string): void;
  /** Removes a file; false when there is none. */
  remove(path: string): boolean;
  /** Its files, whether they can be seen now or not. */
  paths(): readonly string[];
  /** Another, empty folder stands at the path, as when a mount is lost. */
  unmount(): void;
  /** The folder is back as it was. */
  mount(): void;
  /** Nobody may list it, until `allow`. */
  deny(): void;
  allow(): void;
  /** The files of its `.status` folder by name, written when somebody reads them. */
  statuses: () => ReadonlyMap<string, string>;
}

interface Content {
  readonly text: string;
  readonly version: number;
}

/** Makes an empty folder. */
export function createMemoryFolder(): MemoryFolder {
  const files = new Map<string, Content>();
  const listeners = new Set<(path: string | undefined) => void>();
  let version = 0;
  let isMounted = true;
  let isDenied = false;

  function hint(path: string | undefined): void {
    for (const listener of listeners) listener(path);
  }

  function visible(): ReadonlyMap<string, Content> {
    return isMounted ? files : new Map();
  }

  function list(): Listing {
    const names = [...visible()].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const listed = names.map(([path, content]) => {
      const stamp = `${content.version}`;
      return [path, { path, stamp, size: Buffer.byteLength(content.text) }] as const;
    });
    const root = { device: "1", inode: isMounted ? "2" : "3" };
    return { files: new Map(listed), folders: new Map([["", root]]), unreadable: new Map() };
  }

  const disk: FolderDisk = {
    scan: async () => {
      if (!isDenied) return list();
      const message = "cannot list the folder: permission denied";
      throw new EdgeError({ code: "UNREADABLE", message, retryable: true });
    },
    readText: async (path) => {
      const content = visible().get(path);
      if (content !== undefined) return content.text;
      throw new EdgeError({ code: "NOT_FOUND", message: `no ${path}`, retryable: false });
    },
    readStatuses: async () => {
      await Promise.resolve();
      return isMounted ? [...folder.statuses().values()] : [];
    },
    watch: (onHint) => {
      listeners.add(onHint);
      return { follow: () => false, [Symbol.dispose]: () => void listeners.delete(onHint) };
    },
  };

  const folder: MemoryFolder = {
    disk,
    statuses: () => new Map(),
    write: (path, text) => {
      version += 1;
      files.set(path, { text, version });
      if (isMounted) hint(undefined);
    },
    remove: (path) => {
      const isThere = files.delete(path);
      if (isThere && isMounted) hint(path);
      return isThere;
    },
    paths: () => [...files.keys()],
    unmount: () => {
      isMounted = false;
    },
    mount: () => {
      isMounted = true;
    },
    deny: () => {
      isDenied = true;
    },
    allow: () => {
      isDenied = false;
    },
  };
  return folder;
}
