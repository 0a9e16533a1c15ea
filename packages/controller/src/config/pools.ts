// Pools out of settings: `--pool NAME=RANGE[,RANGE]` and `pools:` of the config file. Given the
// flags' texts and the file's value; all that is wrong is said at once, and then nothing is used.

import type { AddressPool, PoolMode } from "@fairlead/model";
import { quoteValue } from "@fairlead/runtime";
import { z } from "zod";

import { quote } from "../sources/quote.ts";
import { schemaProblems } from "../sources/schema-problem.ts";
import { ADDRESSES_MISSING, POOL_SPEC_FIELDS, type PoolSpec, readPool } from "./pool-spec.ts";

/** What is wrong with one pool, for people. */
export interface PoolSettingProblem {
  /** `--pool "lan=..."`, or `pools[0] "lan" in "FILE"`. */
  readonly place: string;
  readonly detail: string;
  /** Whether it stands in the file, where another remedy helps than at a flag. */
  readonly isInFile: boolean;
}

/** Pools, or every problem. */
export type ConfiguredPools =
  | { readonly kind: "ok"; readonly pools: readonly AddressPool[] }
  | { readonly kind: "bad"; readonly problems: readonly PoolSettingProblem[] };

/** What is configured. */
export interface PoolSettings {
  /** Texts of `--pool`, in their order. */
  readonly flags: readonly string[];
  /** Value of `pools` in the config file; undefined when it has none. */
  readonly file: unknown;
  /** Which file that is; absent where nobody is told. */
  readonly path?: string | undefined;
  /** The mode of pools that name none. Default `vrrp`. */
  readonly defaultMode?: PoolMode;
}

const filePoolSchema = z.strictObject({ name: z.string(), ...POOL_SPEC_FIELDS });

/** A pool as written, with where, before its ranges are read; or why it is none. */
type Written = Omit<PoolSettingProblem, "detail"> &
  (
    | {
        readonly kind: "pool";
        readonly name: string;
        readonly origin: string;
        readonly spec: PoolSpec;
      }
    | { readonly kind: "bad"; readonly details: readonly string[] }
  );

/** Epoch ms: whoever starts a controller with a pool means it before all that comes later. */
const CONFIGURED_AT_MS = 0;

/** Reads the pools of all settings. Overlap of two pools is for the planner to judge. */
export function readConfiguredPools(settings: PoolSettings): ConfiguredPools {
  const problems: PoolSettingProblem[] = [];
  const pools: AddressPool[] = [];
  const places = new Map<string, string>();
  for (const written of [...settings.flags.map(readFlag), ...readFile(settings)]) {
    const { place, isInFile } = written;
    const complain = (detail: string): void => void problems.push({ place, detail, isInFile });
    if (written.kind === "bad") {
      written.details.forEach(complain);
      continue;
    }
    const { name, origin, spec } = written;
    const other = places.get(name);
    if (other !== undefined) {
      complain(`${other} declares a pool of this name already`);
      continue;
    }
    places.set(name, place);
    const mode = spec.mode ?? settings.defaultMode;
    const createdAtMs = CONFIGURED_AT_MS;
    const reading = readPool({ name, origin, createdAtMs, spec: { ...spec, mode } });
    if (reading.kind === "ok") pools.push(reading.pool);
    else for (const { detail } of reading.problems) complain(detail);
  }
  return problems.length > 0 ? { kind: "bad", problems } : { kind: "ok", pools };
}

function readFlag(text: string): Written {
  const where = { place: `--pool ${quote(text)}`, isInFile: false };
  const equals = text.indexOf("=");
  if (equals < 1) {
    const expected = "expected NAME=RANGE[,RANGE], such as lan=192.0.2.10-192.0.2.50";
    return { ...where, kind: "bad", details: [expected] };
  }
  const name = text.slice(0, equals).trim();
  const ranges = text.slice(equals + 1).split(",");
  const addresses = ranges.map((range) => range.trim());
  return { ...where, kind: "pool", name, origin: "--pool", spec: { addresses } };
}

function readFile({ file: value, path }: PoolSettings): readonly Written[] {
  if (value === undefined || value === null) return [];
  const inFile = path === undefined ? "" : ` in ${quoteValue(path)}`;
  if (!Array.isArray(value)) {
    const where = { place: `pools${inFile}`, isInFile: true };
    return [{ ...where, kind: "bad", details: ["expected a list of pools"] }];
  }
  return value.map((item: unknown, index): Written => {
    const called = isRecord(item) && typeof item["name"] === "string" ? item["name"] : undefined;
    const shown = called === undefined ? "" : ` ${quote(called)}`;
    const where = { place: `pools[${index}]${shown}${inFile}`, isInFile: true };
    const parsed = filePoolSchema.safeParse(item);
    if (!parsed.success) {
      const details = [...schemaProblems(parsed.error, item), ...problemsBeside(item)];
      return { ...where, kind: "bad", details };
    }
    const { name, ...spec } = parsed.data;
    return { ...where, kind: "pool", name, origin: "the config file", spec };
  });
}

/** What is wrong with the fields whose form is well: all is said at once. */
function problemsBeside(item: unknown): readonly string[] {
  if (!isRecord(item)) return [];
  const spec: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(POOL_SPEC_FIELDS)) {
    const field = schema.safeParse(item[key]);
    if (field.success) spec[key] = field.data;
  }
  const name = item["name"];
  // Each value came from the schema of its own key.
  const written = { name: typeof name === "string" ? name : "unnamed", origin: "", spec };
  const reading = readPool(written);
  if (reading.kind === "ok") return [];
  const hasAddresses = ["addresses", "external"].some((key) => (item[key] ?? null) !== null);
  return reading.problems
    .map(({ detail }) => detail)
    .filter((detail) => !hasAddresses || detail !== ADDRESSES_MISSING);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
