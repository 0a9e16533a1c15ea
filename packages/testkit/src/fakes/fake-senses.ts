// What a fake host sees and hears of its segment: whom it asks for addresses, and whose adverts
// come in. Given the host and its segment; each call may fail.

import type { SegmentAsker, SegmentSight, VrrpListener } from "@fairlead/agent";
import { type Address, addressValue } from "@fairlead/model";
import type { Clock } from "@fairlead/runtime";

import type { FakeHost } from "./fake-host-types.ts";
import type { FakeSegment } from "./fake-segment.ts";

/** What they are made of. */
export interface FakeSensesOptions {
  readonly host: FakeHost;
  readonly segment: FakeSegment;
  readonly clock: Clock;
  /** Throws when the call is to fail. */
  readonly attempt: (call: string) => void;
  readonly isLinkUp: () => boolean;
}

/** The ports of seeing and hearing. */
export interface FakeSenses {
  readonly segment: SegmentAsker;
  readonly sight: SegmentSight;
  readonly vrrp: VrrpListener;
}

/** Makes them. */
export function createFakeSenses(options: FakeSensesOptions): FakeSenses {
  const { host, segment, clock, attempt, isLinkUp } = options;
  return {
    segment: {
      ask: async (questions) => {
        attempt("segment.ask");
        return segment.answersTo(host, isLinkUp() ? questions : []);
      },
    },
    sight: {
      see: async (_link, addresses) => {
        attempt("sight.see");
        return new Map(addresses.map((one) => [one, { mac: segment.seenBy(host, one) }]));
      },
    },
    vrrp: {
      ...segment.vrrp,
      adverts: () => ({ readMs: clock.nowMs(), adverts: segment.advertsTo(host) }),
    },
  };
}

/** The hardware address of the host that has this one. */
export function fakeMac(own: Address): string {
  const number = Number(addressValue(own) & 0xffn).toString(16);
  return `02:00:00:00:00:${number.padStart(2, "0")}`;
}
