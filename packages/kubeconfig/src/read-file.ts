// Reads one small text file at once. Given a path and what the file is, for messages. It never
// reads a folder, a pipe or more than 1 MiB. Synchronous, as programs start with it; these files
// are a few kilobytes on a local disk or tmpfs.

import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { escapeBounded, fileError } from "@fairlead/runtime";
import { accessError } from "./access-error.ts";

const FILE_BYTES_MAX = 1024 * 1024;

/** The text of a file. `what` names it, as in "kubeconfig". Throws NOT_FOUND or UNREADABLE. */
export function readTextFile(what: string, path: string): string {
  const operation = `cannot read ${what} ${quotePath(path)}`;
  let handle: number | undefined;
  try {
    // Without O_NONBLOCK the opening of a pipe would wait for its writer, for ever.
    handle = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = fstatSync(handle);
    if (stat.isDirectory()) throw accessError("UNREADABLE", `${operation}: it is a folder`);
    if (!stat.isFile()) throw accessError("UNREADABLE", `${operation}: it is no regular file`);
    if (stat.size > FILE_BYTES_MAX) {
      const why = `it has ${stat.size} bytes, at most ${FILE_BYTES_MAX} are read`;
      throw accessError("UNREADABLE", `${operation}: ${why}`);
    }
    return readFileSync(handle, "utf8");
  } catch (error) {
    const { code, message, retryable } = fileError(error, operation);
    if (code === "NOT_FOUND") throw accessError("NOT_FOUND", message);
    throw accessError("UNREADABLE", message, retryable);
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** A path as it stands in a message: escaped, in quotes, at most 300 characters. */
export function quotePath(path: string): string {
  return `"${escapeBounded(path, 300)}"`;
}
