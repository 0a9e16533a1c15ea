// What an IPAM answers, read strictly: anything else is no answer. Pure. What is not used of it is
// not looked at, so that an IPAM may say more.

import { type Address, parseAddress } from "@fairlead/model";
import { escapeBounded } from "@fairlead/runtime";
import { z } from "zod";

/** Characters of its own words that are kept. */
const WORDS_MAX = 200;
const CODE_MAX = 40;

const registration = z.object({ uuid: z.string(), address: z.string() });
const renewal = z.object({ unknown: z.array(z.string()) });
const problem = z.object({ code: z.string(), detail: z.string() });

/** The address of a registration; undefined: it is none, or another's. */
export function registrationAnswer(text: string, uuid: string): Address | undefined {
  const read = registration.safeParse(parse(text)).data;
  return read?.uuid === uuid ? parseAddress(read.address) : undefined;
}

/** Those of the uuids that are unknown there; undefined: it is no renewal. */
export function renewalAnswer(
  text: string,
  uuids: readonly string[],
): readonly string[] | undefined {
  const unknown = renewal.safeParse(parse(text)).data?.unknown;
  if (unknown === undefined) return undefined;
  const said = new Set(unknown);
  return uuids.filter((uuid) => said.has(uuid));
}

/** Why it says no: its words and its code, or the status alone. */
export function problemAnswer(status: number, text: string): string {
  const read = problem.safeParse(parse(text)).data;
  if (read === undefined) return `HTTP ${status}, and no word of an IPAM`;
  const { detail, code } = read;
  return `${escapeBounded(detail, WORDS_MAX)} (${escapeBounded(code, CODE_MAX)})`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
