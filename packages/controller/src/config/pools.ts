// Pools out of settings: `--pool NAME=RANGE[,RANGE]` and `pools:` of the config file. Given the
// flags' texts and the file's value; all that is wrong is said at once, and then nothing is used.

import type { AddressPool } from "@fairlead/model";
import { z } from "zod";

import { quote } from "../sources/quote.ts";
import { schemaProblem } from "../sources/schema-problem.ts";
import { POOL_SPEC_FIELDS, type PoolSpec, readPool } from "./pool-spec.ts";

/** Pools, or every problem as one line for people. */
export type ConfiguredPools =
  | { readonly kind: "ok"; readonly pools: readonly AddressPool[] }
  | { readonly kind: "bad"; readonly problems: readonly string[] };

/** What is configured. */
export interface PoolSettings {
  /** Texts of `--pool`, in their order. */
  readonly flags: readonly string[];
  /** Value of `pools` in the config file; undefined when it has none. */
  readonly file: unknown;
}

const filePoolSchema = z.strictObject({ name: z.string(), ...POOL_SPEC_FIELDS });

/** A pool as written, with where, before its ranges are read. */
interface WrittenPool {
  readonly name: string;
  /** How problems name it: `--pool "lan=..."` or `pools[0]`. */
  readonly place: string;
  readonly origin: string;
  readonly spec: PoolSpec;
}

/** Reads the pools of all settings. Overlap of two pools is for the planner to judge. */
export function readConfiguredPools(settings: PoolSettings): ConfiguredPools {
  const problems: string[] = [];
  const written = [
    ...settings.flags.flatMap((flag) => readFlag(flag, problems)),
    ...readFile(settings.file, problems),
  ];
  const pools: AddressPool[] = [];
  const places = new Map<string, string>();
  for (const { name, place, origin, spec } of written) {
    const other = places.get(name);
    if (other !== undefined) {
      problems.push(`${place}: ${other} declares a pool of this name already`);
      continue;
    }
    places.set(name, place);
    const reading = readPool({ name, origin, spec });
    if (reading.kind === "ok") pools.push(reading.pool);
    else problems.push(...reading.problems.map(({ detail }) => `${place}: ${detail}`));
  }
  return problems.length > 0 ? { kind: "bad", problems } : { kind: "ok", pools };
}

function readFlag(text: string, problems: string[]): readonly WrittenPool[] {
  const place = `--pool ${quote(text)}`;
  const equals = text.indexOf("=");
  if (equals < 1) {
    problems.push(`${place}: expected NAME=RANGE[,RANGE], such as lan=192.0.2.10-192.0.2.50`);
    return [];
  }
  const addresses = text
    .slice(equals + 1)
    .split(",")
    .map((range) => range.trim());
  return [{ name: text.slice(0, equals).trim(), place, origin: "--pool", spec: { addresses } }];
}

function readFile(value: unknown, problems: string[]): readonly WrittenPool[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    problems.push("pools: expected a list of pools");
    return [];
  }
  return value.flatMap((item: unknown, index): readonly WrittenPool[] => {
    const place = `pools[${index}]`;
    const parsed = filePoolSchema.safeParse(item);
    if (parsed.success) {
      const { name, ...spec } = parsed.data;
      return [{ name, place, origin: "the config file", spec }];
    }
    problems.push(`${place}: ${schemaProblem(parsed.error)}`);
    return [];
  });
}
