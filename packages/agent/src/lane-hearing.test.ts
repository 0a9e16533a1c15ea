// Whether a lane's holder is heard: by what was read, by whether its own address answers, and never
// by one look alone. On the fake clock, looked at once a second as the loop does.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { LaneHearing, LaneResource } from "@fairlead/model";
import {
  acceptedPlan,
  agentName,
  createFakeHost,
  device,
  fakeWorld,
  laneOf,
} from "@fairlead/testkit";

import { laneAnchor } from "@fairlead/render";

import { createLaneHearings } from "./lane-hearing.ts";
import type { HeardAdverts } from "./ports.ts";

const ORDER = ["a=192.0.2.11", "b=192.0.2.12", "c=192.0.2.13"];
const LANE: LaneResource = {
  ...laneOf({ routerId: 51, order: ORDER }),
  holder: agentName("a"),
  preempt: false,
};

const ANCHOR = laneAnchor(LANE).address;

function macFrom(address: string): string {
  return `02:00:00:00:00:${address.slice(-2)}`;
}

/** What is so while a time passes. */
interface Span {
  readonly ms: number;
  /** Sources of adverts with router id 51. Default: the holder's. */
  readonly from?: readonly string[];
  /** Whether the holder's own address answers. Default: it does. */
  readonly answers?: boolean;
  /** Whose host answers for the lane's anchor, by its own address. Default: nobody's. */
  readonly anchorAt?: string;
  readonly isAble?: boolean;
  readonly lane?: Partial<LaneResource>;
}

/** What is said after each span. */
async function play(spans: readonly Span[]): Promise<readonly (string | undefined)[]> {
  const { clock, segment } = fakeWorld();
  const host = createFakeHost({ name: "b", prefix: "192.0.2.12/24", segment, clock });
  const kernel = await host.kernel.view();
  let span: Span = { ms: 0 };
  const last = new Map<string, number>();
  const adverts = (): readonly HeardAdverts[] =>
    Array.from(last, ([source, lastMs]) => ({
      routerId: 51,
      source: source as HeardAdverts["source"],
      link: device("eth0"),
      lastMs,
    }));
  const hearings = createLaneHearings({
    clock,
    vrrp: {
      get isAble() {
        return span.isAble ?? true;
      },
      adverts: () => ({ readMs: clock.nowMs(), adverts: adverts() }),
    },
    sight: {
      see: async (_link, addresses) => {
        const macOf = (address: string): string => {
          if (address === "192.0.2.11") return span.answers === false ? "" : macFrom(address);
          const at = address === ANCHOR ? span.anchorAt : address;
          return at === undefined ? "" : macFrom(at);
        };
        return new Map(addresses.map((one) => [one, { mac: macOf(one) }]));
      },
    },
  });
  const said: (LaneHearing["state"] | undefined)[] = [];
  for (span of spans) {
    const wanted = acceptedPlan("b", [{ ...LANE, ...span.lane }]);
    let hearing: readonly LaneHearing[] = [];
    for (let passedMs = 0; passedMs < span.ms; passedMs += 1000) {
      for (const source of span.from ?? ["192.0.2.11"]) last.set(source, clock.nowMs());
      hearing = hearings.look({ wanted, kernel });
      await clock.advance(1000);
    }
    said.push(hearing[0]?.state);
  }
  return said;
}

const cases: readonly {
  readonly name: string;
  readonly spans: readonly Span[];
  readonly said: readonly (string | undefined)[];
}[] = [
  { name: "adverts of the holder are heard at once", spans: [{ ms: 1000 }], said: ["heard"] },
  {
    name: "adverts of another agent are not the holder's",
    spans: [{ ms: 6000, from: ["192.0.2.13"] }],
    said: ["unheard"],
  },
  {
    name: "silence is told soon, but not at once",
    spans: [{ ms: 5000 }, { ms: 1000, from: [] }, { ms: 4000, from: [] }],
    said: ["heard", "heard", "unheard"],
  },
  {
    name: "a new lane has time to begin",
    spans: [{ ms: 1000, from: [] }, { ms: 5000 }],
    said: [undefined, "heard"],
  },
  {
    name: "of a holder that is gone nothing is said, and it is no firewall",
    spans: [{ ms: 5000 }, { ms: 6000, from: [], answers: false }],
    said: ["heard", undefined],
  },
  {
    name: "a holder that is gone and another one who speaks to others alone are a lane that is held",
    spans: [{ ms: 5000 }, { ms: 6000, from: [], answers: false, anchorAt: "192.0.2.13" }],
    said: ["heard", "unheard"],
  },
  {
    name: "who answers for the anchor without being of the lane has some other lane",
    spans: [{ ms: 5000 }, { ms: 6000, from: [], answers: false, anchorAt: "192.0.2.99" }],
    said: ["heard", undefined],
  },
  {
    name: "a holder behind a firewall that goes later is not missed any more",
    spans: [
      { ms: 8000, from: [] },
      { ms: 8000, from: [], answers: false },
    ],
    said: ["unheard", undefined],
  },
  {
    name: "who missed it waits for what lasts",
    spans: [{ ms: 8000, from: [] }, { ms: 2000 }, { ms: 3000 }],
    said: ["unheard", "unheard", "heard"],
  },
  {
    name: "who listens first waits too",
    spans: [
      { ms: 2000, lane: { listens: true } },
      { ms: 3000, lane: { listens: true } },
    ],
    said: [undefined, "heard"],
  },
  {
    name: "who listens to a holder that begins a new lane waits for its first adverts alone",
    spans: [
      { ms: 1000, from: [], lane: { listens: true, preempt: true } },
      { ms: 1000, lane: { listens: true } },
    ],
    said: [undefined, "heard"],
  },
  {
    name: "a holder whose agent was killed before it began is behind no firewall",
    spans: [
      { ms: 8000, from: [], lane: { listens: true, preempt: true } },
      { ms: 1000, lane: { listens: true } },
    ],
    said: [undefined, "heard"],
  },
  {
    name: "who begins a new lane behind a firewall has its anchor, and is missed",
    spans: [{ ms: 6000, from: [], lane: { listens: true, preempt: true }, anchorAt: "192.0.2.11" }],
    said: ["unheard"],
  },
  {
    name: "a lane that was new is one like others once it was heard",
    spans: [
      { ms: 2000, lane: { listens: true, preempt: true } },
      { ms: 6000, from: [] },
    ],
    said: ["heard", "unheard"],
  },
  {
    name: "who listens where an operator moves the lane waits for what lasts",
    spans: [{ ms: 2000, lane: { listens: true, preempt: true, intentId: "move-1" } }],
    said: [undefined],
  },
  {
    name: "a host without the means says so",
    spans: [{ ms: 2000, from: [], isAble: false }],
    said: ["unable"],
  },
  {
    name: "of its own lane nothing is said",
    spans: [{ ms: 5000, lane: { holder: "b" as LaneResource["holder"] & string } }],
    said: [undefined],
  },
];
for (const { name, spans, said } of cases) {
  test(name, async () => assert.deepEqual(await play(spans), said));
}
