// Writes files that survive a power cut whole, old or new, and reads files of bounded size. Given
// paths of our own making. It never leaves a half-written file under the final name, and it never
// reads a device or a pipe.

import { constants } from "node:fs";
import { open, readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { describeError, EdgeError, isEdgeError } from "./errors.ts";

/** Why a file could not be read or written. */
export type FileErrorCode =
  | "NOT_FOUND"
  | "NO_SPACE"
  | "READ_ONLY"
  | "PERMISSION"
  | "TOO_LARGE"
  | "IO";

/** How a file is written. */
export interface WriteFileOptions {
  /** Permission bits, such as 0o600, whatever the umask. */
  readonly mode: number;
}

/**
 * Replaces `path` by `data`: temporary file beside it, fsync, rename, fsync of the folder. When it
 * resolves, the content survives a power cut. Rejects with EdgeError<FileErrorCode>.
 */
export async function writeFileDurably(
  path: string,
  data: string | Uint8Array,
  options: WriteFileOptions,
): Promise<void> {
  try {
    const content = typeof data === "string" ? data : Buffer.from(data);
    await writeFileAtomic(path, content, { mode: options.mode, fsync: true });
    await syncFolder(dirname(path));
  } catch (error) {
    throw fileError(error, `cannot write ${path}`);
  }
}

/**
 * Removes what writers of `path` left beside it when they were killed in the middle: a name with a
 * number behind it. Nobody may write it meanwhile, as whoever starts with its own files knows. What
 * cannot be removed stays, and is in nobody's way.
 */
export async function removeUnfinished(path: string): Promise<void> {
  const [folder, name] = [dirname(path), basename(path)];
  const names = await readdir(folder).catch(() => []);
  const isLeft = (one: string): boolean =>
    one.startsWith(`${name}.`) && /^\d+$/.test(one.slice(name.length + 1));
  for (const left of names.filter(isLeft)) {
    await rm(join(folder, left)).catch(() => undefined);
  }
}

/**
 * Reads a regular file of at most `maxBytes`. Rejects with EdgeError<FileErrorCode>; "TOO_LARGE"
 * when there is more, "IO" when it is no regular file.
 */
export async function readFileBounded(path: string, maxBytes: number): Promise<Buffer> {
  const operation = `cannot read ${path}`;
  try {
    // Without O_NONBLOCK the opening of a pipe would wait for its writer, for ever.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (!stat.isFile()) throw notRegular(operation);
    if (stat.size > maxBytes) throw tooLarge(operation, maxBytes);
    const buffer = Buffer.alloc(maxBytes + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (length > maxBytes) throw tooLarge(operation, maxBytes);
      if (bytesRead === 0) return buffer.subarray(0, length);
    }
  } catch (error) {
    throw fileError(error, operation);
  }
}

/** Makes the names in a folder durable: what was created, renamed or removed there. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, constants.O_RDONLY);
  await handle.sync();
}

const CODES: ReadonlyMap<unknown, { readonly code: FileErrorCode; readonly why: string }> = new Map(
  [
    ["ENOENT", { code: "NOT_FOUND", why: "it does not exist" }],
    ["ENOTDIR", { code: "NOT_FOUND", why: "a part of its path is not a folder" }],
    ["EISDIR", { code: "IO", why: "it is a folder" }],
    ["ENOSPC", { code: "NO_SPACE", why: "the disk is full" }],
    ["EDQUOT", { code: "NO_SPACE", why: "the disk quota is used up" }],
    ["EROFS", { code: "READ_ONLY", why: "the file system is read-only" }],
    ["EACCES", { code: "PERMISSION", why: "permission denied" }],
    ["EPERM", { code: "PERMISSION", why: "permission denied" }],
    ["EFBIG", { code: "TOO_LARGE", why: "it is too large" }],
  ] as const,
);

/** Maps what a file operation raised; `operation` is the start of the message. */
export function fileError(error: unknown, operation: string): EdgeError<FileErrorCode> {
  if (isEdgeError<FileErrorCode>(error)) return error;
  const errno = error instanceof Error && "code" in error ? error.code : undefined;
  const known = CODES.get(errno);
  const code = known?.code ?? "IO";
  return new EdgeError({
    code,
    message: `${operation}: ${known?.why ?? describeError(error)}`,
    retryable: code === "NO_SPACE" || code === "IO",
    cause: error,
  });
}

function tooLarge(operation: string, maxBytes: number): EdgeError<FileErrorCode> {
  const message = `${operation}: it has more than ${maxBytes} bytes`;
  return new EdgeError({ code: "TOO_LARGE", message, retryable: false });
}

function notRegular(operation: string): EdgeError<FileErrorCode> {
  const message = `${operation}: it is not a regular file`;
  return new EdgeError({ code: "IO", message, retryable: false });
}
