// The rendered files with their hashes, for people: a hash says whether two hosts have the same
// file, the text says what is in it. Given what is on the disk.

import { createHash } from "node:crypto";

import type { GetFilesResponseSchema, MessageInitShape } from "@fairlead/wire";

import type { RenderedFile } from "../../ports.ts";
import type { DebugContext } from "./debug-context.ts";
import { ROOM_BYTES } from "./within-room.ts";

type FilesInit = MessageInitShape<typeof GetFilesResponseSchema>;

/** Answers GetFiles. Small files come whole; of larger ones each gets its share of the room. */
export async function getFiles({ files }: Pick<DebugContext, "files">): Promise<FilesInit> {
  const found = await files();
  const shares = shareRoom(found.map(({ content }) => content.byteLength));
  return { files: found.map((file, index) => fileRow(file, shares[index] ?? 0)) };
}

function fileRow(
  { path, content }: RenderedFile,
  share: number,
): NonNullable<FilesInit["files"]>[number] {
  return {
    path,
    sha256: createHash("sha256").update(content).digest("hex"),
    bytes: BigInt(content.byteLength),
    text: textOf(content, share),
    cut: content.byteLength > share,
  };
}

/** What is no UTF-8, such as half a character at the cut, is left out: it would only grow. */
function textOf(content: Uint8Array, bytesMax: number): string {
  return new TextDecoder().decode(content.subarray(0, bytesMax)).replaceAll("\ufffd", "");
}

/** The bytes that each may have; smaller ones first, so that what they leave goes to others. */
function shareRoom(sizes: readonly number[]): readonly number[] {
  const shares = sizes.map(() => 0);
  let room = ROOM_BYTES;
  let left = sizes.length;
  for (const [index, size] of [...sizes.entries()].toSorted(([, a], [, b]) => a - b)) {
    const share = Math.min(size, Math.floor(room / left));
    shares[index] = share;
    room -= share;
    left -= 1;
  }
  return shares;
}
