// Pools out of settings: `--pool NAME=RANGE[,RANGE]` and `pools:` of the config file. Given the
// flags' texts and the file's value; all that is wrong is said at once, and then nothing is used.

import type { AddressPool, PoolMode } from "@fairlead/model";
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
  /** The mode of pools that name none. Default `vrrp`. */
  readonly defaultMode?: PoolMode;
}

const filePoolSchema = z.strictObject({ name: z.string(), ...POOL_SPEC_FIELDS });

/** A pool as written, with where, before its ranges are read; or why it is none. */
type Written =
  | {
      readonly kind: "pool";
      readonly name: string;
      /** How problems name it: `--pool "lan=..."` or `pools[0]`. */
      readonly place: string;
      readonly origin: string;
      readonly spec: PoolSpec;
    }
  | { readonly kind: "bad"; readonly problem: string };

/** Epoch ms: whoever starts a controller with a pool means it before all that comes later. */
const CONFIGURED_AT_MS = 0;

/** Reads the pools of all settings. Overlap of two pools is for the planner to judge. */
export function readConfiguredPools(settings: PoolSettings): ConfiguredPools {
  const problems: string[] = [];
  const pools: AddressPool[] = [];
  const places = new Map<string, string>();
  for (const written of [...settings.flags.map(readFlag), ...readFile(settings.file)]) {
    if (written.kind === "bad") {
      problems.push(written.problem);
      continue;
    }
    const { name, place, origin, spec } = written;
    const other = places.get(name);
    if (other !== undefined) {
      problems.push(`${place}: ${other} declares a pool of this name already`);
      continue;
    }
    places.set(name, place);
    const mode = spec.mode ?? settings.defaultMode;
    const createdAtMs = CONFIGURED_AT_MS;
    const reading = readPool({ name, origin, createdAtMs, spec: { ...spec, mode } });
    if (reading.kind === "ok") pools.push(reading.pool);
    else problems.push(...reading.problems.map(({ detail }) => `${place}: ${detail}`));
  }
  return problems.length > 0 ? { kind: "bad", problems } : { kind: "ok", pools };
}

function readFlag(text: string): Written {
  const place = `--pool ${quote(text)}`;
  const equals = text.indexOf("=");
  if (equals < 1) {
    const expected = "expected NAME=RANGE[,RANGE], such as lan=192.0.2.10-192.0.2.50";
    return { kind: "bad", problem: `${place}: ${expected}` };
  }
  const name = text.slice(0, equals).trim();
  const ranges = text.slice(equals + 1).split(",");
  const addresses = ranges.map((range) => range.trim());
  return { kind: "pool", name, place, origin: "--pool", spec: { addresses } };
}

function readFile(value: unknown): readonly Written[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return [{ kind: "bad", problem: "pools: expected a list of pools" }];
  return value.map((item: unknown, index): Written => {
    const place = `pools[${index}]`;
    const parsed = filePoolSchema.safeParse(item);
    if (!parsed.success) {
      return { kind: "bad", problem: `${place}: ${schemaProblem(parsed.error)}` };
    }
    const { name, ...spec } = parsed.data;
    return { kind: "pool", name, place, origin: "the config file", spec };
  });
}
