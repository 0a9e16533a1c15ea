// What the kernel has in the table of members, as the program `nft` lists it. It changes nothing.

import type { Address } from "@fairlead/model";
import { CHOOSING_CHAIN, MEMBER_TABLE } from "@fairlead/render";
import { EdgeError, runProgram } from "@fairlead/runtime";

import type { TableSlot } from "../ports.ts";
import { nftRefusal } from "./refusal.ts";
import { slotsFromText } from "./slots-text.ts";

/** Why the table could not be written, or read. */
export type MemberTableErrorCode = "NFT";

const LISTING_MS_MAX = 30_000;
/** A million slots. */
const LISTING_BYTES_MAX = 64 * 1024 * 1024;

/** The slots of all listeners. Rejects with EdgeError<MemberTableErrorCode>. */
export async function readSlots(program: string): Promise<readonly TableSlot[]> {
  const slots: TableSlot[] = [];
  const taking = new Set<Address>();
  for (const map of ["turns4", "turns6", "slots4", "slots6"]) {
    const result = await list(program, "map", map);
    if (result.code !== 0) {
      const otherwise = `it ended with ${result.signal ?? result.code}`;
      throw nftError(nftRefusal(result.stderr, { otherwise, file: undefined }), "read");
    }
    // Of listeners that take turns the other maps have some slots once more.
    slots.push(...slotsFromText(result.stdout).filter(({ service }) => !taking.has(service)));
    if (map.startsWith("turns")) for (const { service } of slots) taking.add(service);
  }
  return slots;
}

/**
 * Whether nobody is led to a member: the chain that does it is known to be missing or empty. False
 * where that cannot be asked.
 */
export async function leadsNowhere(program: string): Promise<boolean> {
  const listed = await list(program, "chain", CHOOSING_CHAIN).catch(() => undefined);
  if (listed?.code === 0) return !listed.stdout.includes(" dnat ");
  return listed !== undefined && /No such file or directory/.test(listed.stderr);
}

/** An error with these words of nft. */
export function nftError(words: string, done = "written"): EdgeError<MemberTableErrorCode> {
  const message = `the table of members cannot be ${done}: ${words}`;
  return new EdgeError({ code: "NFT", message, retryable: true });
}

async function list(
  program: string,
  kind: "map" | "chain",
  name: string,
): ReturnType<typeof runProgram> {
  const limits = { timeoutMs: LISTING_MS_MAX, maxOutputBytes: LISTING_BYTES_MAX };
  const args = ["list", kind, "inet", MEMBER_TABLE, name];
  return await runProgram({ command: program, args, ...limits });
}
