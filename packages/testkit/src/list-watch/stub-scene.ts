// The usual beginning of a story over the stub: two Services are in force, and a watch is open.
// What was told and asked before is forgotten.

import { makeStubStage, type StubStage } from "./list-watch-stage.ts";
import { followServices, type StoryFollower } from "./story-follower.ts";

/** A follower that watches, with the Services a=1 and b=1 in force. */
export interface StubScene extends AsyncDisposable {
  readonly stage: StubStage;
  readonly follower: StoryFollower;
}

/** Begins. */
export async function beginStubScene(): Promise<StubScene> {
  const stage = await makeStubStage();
  await stage.put("a", "1");
  await stage.put("b", "1");
  const follower = followServices(stage);
  await follower.untilInForce("a=1", "b=1");
  await untilWatched(stage);
  follower.forget();
  stage.stub.forgetRequests();
  return {
    stage,
    follower,
    [Symbol.asyncDispose]: async () => {
      await follower[Symbol.asyncDispose]();
      await stage[Symbol.asyncDispose]();
    },
  };
}

/** Time passes until the Services are watched. */
export function untilWatched(stage: StubStage): Promise<void> {
  return stage.until(
    () => stage.stub.watches("services") === 1,
    () => "one open watch",
  );
}
