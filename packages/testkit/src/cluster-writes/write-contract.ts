// What a cluster does with our writes, as stories: a cluster in memory, the stub and a real API
// server play them. Given a way to make stages. Nothing here needs a fault that a real server does
// not have, so that what the publisher is tested against answers as what it will meet.

import { suite } from "node:test";

import { testEventWrites } from "./event-stories.ts";
import { testFieldWrites } from "./field-stories.ts";
import { testIdentityWrites } from "./identity-stories.ts";
import { testLifeWrites } from "./life-stories.ts";
import { testRefusedWrites } from "./refusal-stories.ts";
import type { WriteStage } from "./write-stage.ts";

/** Registers the stories for one kind of stage. */
export function testWriteContract(kind: string, make: () => Promise<WriteStage>): void {
  void suite(`what ${kind} does with our writes`, () => {
    testIdentityWrites(make);
    testFieldWrites(make);
    testLifeWrites(make);
    testEventWrites(make);
    testRefusedWrites(make);
  });
}
