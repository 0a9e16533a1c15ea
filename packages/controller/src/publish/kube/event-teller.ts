// Tells Services' stories by Events: remembers what was told of each, and looks again when time
// alone makes something worth telling. Given what is wanted; what an Event says is decided in
// tell.ts.

import type { ClaimId } from "@fairlead/model";
import type { Clock, Timer } from "@fairlead/runtime";

import { statusIntruder } from "../../kube/status-intruder.ts";
import type { Publication } from "../../ports.ts";
import type { EventRecorder } from "./event-recorder.ts";
import { remember } from "./remember.ts";
import type { ServiceView } from "./service-view.ts";
import { tell, type Told } from "./tell.ts";
import { NOTHING_WANTED, type WantedService } from "./wanted-service.ts";

/** What the teller works on. */
export interface EventTellerOptions {
  readonly clock: Clock;
  readonly view: ServiceView;
  readonly recorder: EventRecorder;
  /** Undefined: nothing of that name asks for anything. */
  readonly wantedOf: (id: ClaimId) => WantedService | undefined;
  /** The newest one; undefined before the first: nothing is told then. */
  readonly publication: () => Publication | undefined;
}

/** The teller. Disposing ends its timers. */
export interface EventTeller extends Disposable {
  /** What is wanted of the Service changed, or it was seen for the first time. */
  look(id: ClaimId): void;
  /** Others tell from now on: what they told stands in the records. */
  forget(): void;
}

/** What is remembered of one Service. */
interface Story {
  readonly told: Told;
  readonly timer?: Timer;
}

/** Makes a teller that has told nothing. */
export function createEventTeller(options: EventTellerOptions): EventTeller {
  const { clock, view, recorder, wantedOf, publication } = options;
  const stories = new Map<ClaimId, Story>();

  /** What was told of the object that has the name now; undefined: there is nothing to tell of. */
  function toldOf(id: ClaimId, wanted: WantedService): Told | undefined {
    const told = stories.get(id)?.told;
    const record = view.get(id);
    const uid = wanted.claim?.claim.uid;
    // It ends, or goes on: also when the object is gone already.
    if (told !== undefined && (uid === undefined || uid === told.uid)) return told;
    if (record === undefined || (uid !== undefined && uid !== record.uid)) return undefined;
    return remember(record, wanted, { nowMs: clock.nowMs(), wallMs: clock.wallMs() });
  }

  function look(id: ClaimId): void {
    const said = publication();
    const wanted = wantedOf(id) ?? NOTHING_WANTED;
    const told = said && toldOf(id, wanted);
    if (said === undefined || told === undefined) return;
    stories.get(id)?.timer?.cancel();
    const nowMs = clock.nowMs();
    const verdict = wanted.claim?.verdict;
    const externalRefused = wanted.claim?.externalRefused;
    const record = view.get(id);
    // A look comes before each write, so that who is put right was seen.
    const intruder = record?.uid === told.uid ? statusIntruder(record) : undefined;
    const telling = tell({
      told,
      held: wanted.held,
      publication: said,
      nowMs,
      ...(verdict === undefined ? {} : { verdict }),
      ...(externalRefused === undefined ? {} : { externalRefused }),
      ...(intruder === undefined ? {} : { intruder }),
    });
    const resourceVersion = record?.resourceVersion ?? "";
    const [, namespace = "", name = ""] = id.split("/");
    const regarding = { namespace, name, uid: told.uid, resourceVersion };
    for (const draft of telling.events) recorder.record(regarding, draft);
    if (verdict === undefined && wanted.held.length === 0) {
      stories.delete(id);
      return;
    }
    const { dueMs } = telling;
    const timer = dueMs === undefined ? undefined : clock.setTimer(dueMs - nowMs, () => look(id));
    stories.set(id, { told: telling.told, ...(timer === undefined ? {} : { timer }) });
  }

  function forget(): void {
    for (const { timer } of stories.values()) timer?.cancel();
    stories.clear();
  }

  return { look, forget, [Symbol.dispose]: forget };
}
