// What a strict reader refuses: each case is a valid resource with one thing wrong.

import assert from "node:assert";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type Balance, Protocol, type Resource, ResourceSchema } from "@fairlead/proto";
import { laneOf, listenerOf, vipOf } from "@fairlead/testkit";
import { decodeResource, encodeResource } from "./node-plan-codec.ts";
import { createRevisions } from "./revision.ts";

const LANE = laneOf({ routerId: 51, order: ["lb1=192.0.2.11", "lb2=192.0.2.12"] });
const VIP = vipOf("192.0.2.100", LANE);
const [LISTENER, MEMBERS] = listenerOf("192.0.2.100:80/tcp", ["10.0.0.1:8080"]);
const { revisionOf } = createRevisions();

function message(resource: typeof LANE | typeof VIP | typeof LISTENER | typeof MEMBERS): Resource {
  return encodeResource(resource, revisionOf(resource));
}

type Contents = {
  readonly [C in Resource["content"] as C["case"] & string]: C extends { value: infer V }
    ? V
    : never;
};

/** The content of this kind, to be spoiled in place. */
function content<K extends keyof Contents>(of: Resource, kind: K): Contents[K] {
  if (of.content.case !== kind) assert.fail(`not a ${kind}`);
  return of.content.value as Contents[K];
}

const cases: readonly {
  readonly name: string;
  readonly from: Resource;
  readonly spoil: (resource: Resource) => void;
  readonly detail: string;
}[] = [
  {
    name: "a content of a kind that is not known here",
    from: create(ResourceSchema, { name: "vip/192.0.2.100", revision: new Uint8Array(16) }),
    spoil: () => {},
    detail: "resource: content of an unknown kind",
  },
  {
    name: "a revision of 15 bytes",
    from: message(VIP),
    spoil: (r) => (r.revision = r.revision.slice(1)),
    detail: "resource: bad revision",
  },
  {
    name: "a name that is another address's",
    from: message(VIP),
    spoil: (r) => (r.name = "vip/192.0.2.101"),
    detail: "vip: bad address",
  },
  {
    name: "a name with a way out of its folder",
    from: message(VIP),
    spoil: (r) => (r.name = "vip/../../etc/passwd"),
    detail: "vip: bad name",
  },
  {
    name: "an address of 5 bytes",
    from: message(VIP),
    spoil: (r) => (content(r, "vip").address = new Uint8Array(5)),
    detail: "vip: bad address",
  },
  {
    name: "a prefix longer than its family",
    from: message(VIP),
    spoil: (r) => (content(r, "vip").prefixLength = 33),
    detail: "vip: bad prefixLength",
  },
  {
    name: "a prefix of everything, which no device may have by a VIP",
    from: message(VIP),
    spoil: (r) => (content(r, "vip").prefixLength = 0),
    detail: "vip: bad prefixLength",
  },
  {
    name: "a VIP that nothing carries",
    from: message(VIP),
    spoil: (r) => (content(r, "vip").carrier = { case: undefined }),
    detail: "vip: bad carrier",
  },
  {
    name: "a device name that ends a line of a configuration file",
    from: message(VIP),
    spoil: (r) => (content(r, "vip").carrier = { case: "link", value: "eth0\n}" }),
    detail: "vip: bad carrier",
  },
  {
    name: "a claim that is not one",
    from: message(VIP),
    spoil: (r) => content(r, "vip").claims.push("service/default/;drop"),
    detail: "vip: bad claims",
  },
  {
    name: "router id 0",
    from: message(LANE),
    spoil: (r) => (content(r, "lane").routerId = 0),
    detail: "lane: bad router id",
  },
  {
    name: "a segment that is not the lane's",
    from: message(LANE),
    spoil: (r) => (content(r, "lane").segment = "192.0.3.0/24"),
    detail: "lane: bad segment",
  },
  {
    name: "a lane of nobody",
    from: message(LANE),
    spoil: (r) => (content(r, "lane").order = []),
    detail: "lane: bad order",
  },
  {
    name: "two peers of one address",
    from: message(LANE),
    spoil: (r) => {
      for (const peer of content(r, "lane").order) peer.address = new Uint8Array([192, 0, 2, 11]);
    },
    detail: "lane: bad order",
  },
  {
    name: "an agent twice in a lane",
    from: message(LANE),
    spoil: (r) => {
      const { order } = content(r, "lane");
      order.push(...order.slice(0, 1));
    },
    detail: "lane: bad order",
  },
  {
    name: "adverts faster than VRRP allows here",
    from: message(LANE),
    spoil: (r) => (content(r, "lane").advertIntervalMs = 29),
    detail: "lane: bad advertIntervalMs",
  },
  {
    name: "a balance of a later version",
    from: message(LISTENER),
    spoil: (r) => (content(r, "listener").balance = 99 as Balance),
    detail: "listener: bad balance",
  },
  {
    name: "an unspecified protocol",
    from: message(LISTENER),
    spoil: (r) => (content(r, "listener").protocol = Protocol.UNSPECIFIED),
    detail: "listener: bad protocol",
  },
  {
    name: "members of another listener",
    from: message(LISTENER),
    spoil: (r) => (content(r, "listener").members = "members/192.0.2.100/tcp/81"),
    detail: "listener: bad members",
  },
  {
    name: "a time-out that does not fit",
    from: message(LISTENER),
    spoil: (r) => (content(r, "listener").idleTimeoutMs = 2 ** 31),
    detail: "listener: bad idleTimeoutMs",
  },
  {
    name: "a member without weight",
    from: message(MEMBERS),
    spoil: (r) => content(r, "memberSet").members.forEach((member) => (member.weight = 0)),
    detail: "member: bad weight",
  },
  {
    name: "a member on port 0",
    from: message(MEMBERS),
    spoil: (r) => content(r, "memberSet").members.forEach((member) => (member.port = 0)),
    detail: "member: bad port",
  },
  {
    name: "an IPv4 address in the clothes of IPv6",
    from: message(MEMBERS),
    spoil: (r) =>
      content(r, "memberSet").members.forEach(
        (member) => (member.address = Buffer.from("00000000000000000000ffff0a000001", "hex")),
      ),
    detail: "member: bad address",
  },
];

for (const { name, from, spoil, detail } of cases) {
  test(`refuses ${name}`, () => {
    spoil(from);
    assert.deepEqual(decodeResource(from), { kind: "refused", reason: "BadField", detail });
  });
}
