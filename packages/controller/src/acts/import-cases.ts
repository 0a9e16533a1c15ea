// Exports as an operator has them in a file, and what comes of bringing one in. For tests alone.

import assert from "node:assert/strict";

import type { LeasedAddress, World } from "@fairlead/model";
import {
  create,
  decodeLeaseBook,
  encodeLeaseBook,
  LeaseBookSchema,
  leaseBookFromJson,
  leaseBookToJson,
} from "@fairlead/wire";

import type { AllowedAct } from "./act.ts";
import { judgeImport } from "./judge-import.ts";

/** The leases of the world after they were written to a file and read again. */
export function throughFile({ leases }: Pick<World, "leases">): readonly LeasedAddress[] {
  const book = create(LeaseBookSchema, encodeLeaseBook(leases.values()));
  const read = decodeLeaseBook(leaseBookFromJson(JSON.stringify(leaseBookToJson(book))));
  assert.ok(read.kind === "ok", JSON.stringify(read));
  return read.leases;
}

/** The world with nothing in its store but what IPAMs gave it. */
export function emptied(world: World): World {
  return { ...world, leases: new Map(), lanes: new Map() };
}

/** Why the leases may not come in; none: they may. */
export function whyNot(world: World, leases: readonly LeasedAddress[]): readonly string[] {
  const judged = judgeImport(world, leases);
  return judged.kind === "allowed" ? [] : judged.why;
}

/** What comes of leases that may come in. */
export function imported(world: World, leases: readonly LeasedAddress[]): AllowedAct {
  const judged = judgeImport(world, leases);
  assert.ok(judged.kind === "allowed", JSON.stringify(judged));
  return judged;
}

/** An export changes nothing where it was made, and gives the same rows where there are none. */
export function comesBack(world: World): void {
  const file = throughFile(world);
  const again = imported(world, file);
  const will = `nothing changes; all ${file.length} leases of the file are here already`;
  assert.deepEqual([again.leases, again.will], [[], [will]]);
  assert.deepEqual(imported(emptied(world), file).leases, file);
}
