// Members of etcd that agree late, as those whose disks take their time for each write: they run by
// turns, one at a time, so that what one wrote is read by the next one in its turn. Given the
// members and how long a turn is. Their data stays as it is, and all of them run when it ends.

import type { EtcdMember } from "@fairlead/lab";
import { createSystemClock } from "@fairlead/runtime";

/** A story that needs more has hung. */
const TURNS_MAX = 1000;

const clock = createSystemClock();

/** Makes them slow: a write takes about two turns, in ms. Disposed when they are fast again. */
export async function slowDown(
  members: readonly EtcdMember[],
  turnMs: number,
): Promise<AsyncDisposable> {
  const end = new AbortController();
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < TURNS_MAX && !end.signal.aborted; turn += 1) {
      const member = members[turn % members.length];
      member?.resume();
      await clock.sleep(turnMs);
      await member?.freeze();
    }
  };
  await Promise.all(members.map((member) => member.freeze()));
  const taking = turns().finally(() => {
    for (const member of members) member.resume();
  });
  // Told to whoever ends it.
  taking.catch(() => undefined);
  return {
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await taking;
    },
  };
}
