// One at a time over processes. The lock is the kernel's (flock), held by a small child that ends
// when this process does, however it does: so a stale lock cannot exist, and the file that stays
// behind means nothing. The file holds the pid of the last owner, for the waiting one's message.

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { SetupRefusal } from "./refusal.mjs";

/** Exit code that flock is told to use when somebody else holds the lock. */
const HELD_BY_ANOTHER = 75;

/**
 * Runs work while holding the lock. Waits for the other one when it is held, at most waitMsMax.
 *
 * @template T
 * @param {object} options
 * @param {string} options.file the lock file; its folder is made
 * @param {number} options.waitMsMax how long to wait for another holder, in milliseconds
 * @param {(ownerPid: number | undefined) => void} options.onWait told once before waiting
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(options, work) {
  mkdirSync(dirname(options.file), { recursive: true });
  let release = await acquire(options.file, 0);
  if (release === undefined) {
    options.onWait(ownerOf(options.file));
    release = await acquire(options.file, options.waitMsMax);
  }
  if (release === undefined) {
    const owner = ownerOf(options.file) ?? "unknown";
    throw new SetupRefusal(
      `process ${owner} has held ${options.file} for more than ` +
        `${Math.round(options.waitMsMax / 1_000)} s. End it, then try again.`,
    );
  }
  try {
    writeFileSync(options.file, `${process.pid}\n`);
    return await work();
  } finally {
    await release();
  }
}

/**
 * @param {string} file
 * @param {number} waitMs
 * @returns {Promise<(() => Promise<void>) | undefined>} what gives the lock back; undefined: held
 */
function acquire(file, waitMs) {
  const wait = waitMs === 0 ? ["--nonblock"] : ["--timeout", String(waitMs / 1_000)];
  const args = ["--conflict-exit-code", String(HELD_BY_ANOTHER), ...wait, file, "cat"];
  // In a group of its own: Ctrl-C in the terminal must not take the lock away under the work.
  const holder = spawn("flock", args, { stdio: ["pipe", "pipe", "ignore"], detached: true });
  const ended = new Promise((resolve) => holder.once("close", resolve));
  return new Promise((resolve, reject) => {
    holder.once("error", (cause) => {
      reject(new SetupRefusal(`flock cannot be run (${cause.message}); install util-linux.`));
    });
    holder.once("close", (code) => {
      if (code === HELD_BY_ANOTHER) resolve(undefined);
      else reject(new SetupRefusal(`flock on ${file} failed with exit code ${code}.`));
    });
    // cat echoes the byte as soon as it runs, and it runs as soon as the lock is held.
    holder.stdout.once("data", () => {
      resolve(async () => {
        holder.stdin.end();
        await ended;
      });
    });
    holder.stdin.on("error", () => {}); // The holder has ended; its close event tells more.
    holder.stdin.write(".");
  });
}

/**
 * @param {string} file
 * @returns {number | undefined}
 */
function ownerOf(file) {
  const pid = Number.parseInt(readFileSync(file, "utf8"), 10);
  return Number.isNaN(pid) ? undefined : pid;
}
