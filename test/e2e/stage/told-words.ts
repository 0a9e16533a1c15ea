// The words by which a controller tells in its log of Services and their addresses. Given a
// controller, or a name.

import type { SpokenProgram } from "./spoken-program.ts";

/** Only whole words count: a controller that is killed may end in the middle of one. */
const TOLD = / claim=default\/(\S+) addresses=(\S+)(?=\s)/gu;

/** Whom a controller told of which address, in the order of its words. */
export function toldBy(
  controller: SpokenProgram,
): readonly { readonly name: string; readonly address: string }[] {
  const told = controller.words().matchAll(TOLD);
  return [...told].map(([, name = "", address = ""]) => ({ name, address }));
}

/** The words by which a controller tells of a Service's address. */
export function toldWords(name: string): RegExp {
  return new RegExp(`=default/${name} addresses=`, "u");
}

/** The words by which a controller says that a Service is gone. */
export function goneWords(name: string): RegExp {
  return new RegExp(`no longer asked for claim=default/${name}\n`, "u");
}

/** The words by which it says that no agent is waited for any more before an address rests. */
export function releasedWords(address: string): RegExp {
  const name = address.replaceAll(".", "\\.");
  return new RegExp(`no longer found subject=address name=${name} reason=Releasing\n`, "u");
}
