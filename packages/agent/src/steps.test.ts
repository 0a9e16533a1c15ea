// What one pass does, in which order, and when it forgets an address.

import assert from "node:assert/strict";
import { test } from "node:test";

import { present } from "@fairlead/model";
import {
  acceptedPlan,
  address,
  device,
  deviceVipOf,
  laneOf,
  listenerOf,
  vipOf,
} from "@fairlead/testkit";

import { type Applied, NOTHING_APPLIED } from "./applied.ts";
import type { KernelAddress, LedgerEntry } from "./ports.ts";
import { decideSteps, ledgerOfPlan, type StepInput, type StepList } from "./steps.ts";

const LANE = laneOf({ routerId: 51, order: ["lb1=192.0.2.11", "lb2=192.0.2.12"] });
const KEPT = vipOf("192.0.2.100", LANE);
const DNS = listenerOf("192.0.2.100:53/udp", ["10.0.0.1:53"]);
const ETH0 = device("eth0");

const own = (text: string): LedgerEntry => ({ address: address(text), link: ETH0, foreign: false });
const foreign = (text: string): LedgerEntry => ({ ...own(text), foreign: true });
const here = (text: string): KernelAddress => ({
  address: address(text),
  prefixLength: 32,
  link: ETH0,
});

/** After the first pass. */
const SERVING: Applied = {
  ...NOTHING_APPLIED,
  generation: "0123456789abcdef",
  udpEnded: true,
};

/** The steps for a plan that has 192.0.2.100 alone, with one listener. */
function decide(input: Partial<StepInput>): StepList {
  const listener = listenerOf("192.0.2.100:80/tcp", ["10.0.0.1:8080"]);
  return decideSteps({
    wanted: acceptedPlan("lb1", [LANE, KEPT, ...listener]),
    applied: SERVING,
    addresses: [],
    ledger: [],
    isKept: true,
    ...input,
  });
}

/** The steps as a line: `serve guard(100,101) record(100,101) hold sweep(101) forget(100)`. */
function line({ steps }: StepList): string {
  const last = (one: { readonly address: string }): string => one.address.split(".")[3] ?? "";
  const words = steps.map((step) => {
    if (step.kind === "guard") {
      const name = step.exactly ? "guard exactly" : step.without.length > 0 ? "close" : "guard";
      return `${name}(${step.vips.map((vip) => last({ address: vip })).join()})`;
    }
    if (step.kind === "serve") return step.protocol === "udp" ? "serve(udp)" : "serve";
    if (step.kind === "sweep") return `sweep(${step.addresses.map(last).join()})`;
    if (step.kind !== "record" && step.kind !== "forget") return step.kind;
    return `${step.kind}(${step.entries.map(last).join()})`;
  });
  return words.join(" ");
}

const cases: readonly {
  readonly name: string;
  readonly input: Partial<StepInput>;
  readonly steps: string;
}[] = [
  {
    name: "a new plan: listeners, the ledger, then addresses",
    input: {},
    steps: "serve guard(100) ask record(100) hold guard exactly(100)",
  },
  {
    name: "the first pass also ends an nginx for UDP that an agent before left",
    input: { applied: NOTHING_APPLIED },
    steps: "serve serve(udp) guard(100) ask record(100) hold guard exactly(100)",
  },
  {
    name: "nothing is served over UDP any more: its nginx is ended",
    input: { applied: { ...SERVING, udpGeneration: "fedcba9876543210", udpEnded: false } },
    steps: "serve serve(udp) guard(100) ask record(100) hold guard exactly(100)",
  },
  {
    name: "an nginx for UDP that the first pass could not end is ended by the next",
    input: { applied: { ...SERVING, udpEnded: false } },
    steps: "serve serve(udp) guard(100) ask record(100) hold guard exactly(100)",
  },
  {
    name: "a listener for UDP: the nginx for it after the one for TCP",
    input: { wanted: acceptedPlan("lb1", [LANE, KEPT, ...DNS]) },
    steps: "serve serve(udp) guard(100) ask record(100) hold guard exactly(100)",
  },
  {
    name: "an address that leaves is swept when keepalived has the file without it",
    input: { ledger: [own("192.0.2.101")], addresses: [here("192.0.2.101")] },
    steps:
      "serve guard(100,101) ask record(100,101) hold sweep(101) forget(100) guard exactly(100)",
  },
  {
    name: "one that only the old file names is kept in the ledger until then",
    input: { ledger: [own("192.0.2.101")] },
    steps: "serve guard(100,101) ask record(100,101) hold forget(100) guard exactly(100)",
  },
  {
    name: "one that the plan on disk names is not forgotten, as the next start brings it back",
    input: { ledger: [own("192.0.2.101")], addresses: [here("192.0.2.101")], isKept: false },
    steps: "serve guard(100,101) ask record(100,101) hold sweep(101) guard exactly(100,101)",
  },
  {
    name: "what was there before us is neither swept nor remembered longer than it is wanted",
    input: { ledger: [foreign("192.0.2.101")], addresses: [here("192.0.2.101")] },
    steps: "serve guard(100) ask record(100) hold guard exactly(100)",
  },
];
for (const { name, input, steps } of cases) {
  test(name, () => assert.equal(line(decide(input)), steps));
}

test("an address whose device changes was on both for 40 s, and the new one did not tell", () => {
  const vip = deviceVipOf("192.0.2.100");
  const moved = { ...vip, carrier: { kind: "link" as const, link: device("eth1"), adopts: false } };
  const list = decide({
    wanted: acceptedPlan("lb1", [moved]),
    ledger: [{ ...own("192.0.2.100"), added: true }],
    addresses: [{ ...here("192.0.2.100"), label: "eth0:fl", validMs: 60_000 }],
  });
  const [attach] = list.steps.flatMap((step) => (step.kind === "attach" ? step.attachments : []));
  assert.equal(attach?.put?.link, "eth1");
  const [swept] = list.steps.flatMap((step) => (step.kind === "sweep" ? step.addresses : []));
  assert.equal(swept?.link, ETH0);
  const recorded = list.touched.map((entry) => entry.link).toSorted();
  assert.deepEqual(recorded, ["eth0", "eth1"], "both are ours until the old one is gone");
});

test("an address on a device is asked for where the ledger does not name it, though it is there", () => {
  const asked = (ledger: readonly LedgerEntry[]): number => {
    const { steps } = decide({
      wanted: acceptedPlan("lb1", [deviceVipOf("192.0.2.100")]),
      ledger,
      addresses: [{ ...here("192.0.2.100"), label: "eth0:fl", validMs: 60_000 }],
    });
    return steps.filter(({ kind }) => kind === "ask").length;
  };
  assert.equal(asked([]), 1, "a stranger had it, and it could not be taken away");
  assert.equal(asked([{ ...own("192.0.2.100"), added: true }]), 0);
});

test("a port that is given up is closed before nginx lets go of it, and stays closed", () => {
  const [listener, members] = listenerOf("192.0.2.100:81/tcp", ["10.0.0.1:8080"]);
  assert.ok(listener?.kind === "listener" && members?.kind === "members");
  const wanted = acceptedPlan("lb1", [LANE, KEPT, listener, members]);
  const revision = present(wanted.revisions.get(listener.name), "a revision");
  const served = { listener, members, revision, membersRevision: revision };
  const listeners = new Map([[listener.name, served]]);
  const list = decide({
    applied: { ...SERVING, listeners },
    ledger: [own("192.0.2.100")],
    addresses: [here("192.0.2.100")],
  });
  assert.equal(line(list), "close(100) serve close(100) record(100) hold guard exactly(100)");
  for (const step of list.steps) {
    if (step.kind === "guard") assert.deepEqual(step.without, [listener.name]);
  }
});

test("the guard hears the other agents of a lane, and not what was there before us", () => {
  const { steps } = decide({ addresses: [here("192.0.2.100")] });
  const guards = steps.filter((step) => step.kind === "guard");
  assert.equal(guards.length, 2);
  for (const { vips, lanes } of guards) {
    assert.deepEqual([vips, lanes], [[], [{ link: ETH0, peers: ["192.0.2.12"] }]]);
  }
});

const asked: readonly {
  readonly name: string;
  readonly input: Partial<StepInput>;
  readonly questions: readonly string[];
}[] = [
  {
    name: "an address that is new to this host is asked for, and the lane's other agents are peers",
    input: {},
    questions: ["192.0.2.100 eth0 192.0.2.12"],
  },
  {
    name: "one that was handed over in this boot is not asked for",
    input: { ledger: [own("192.0.2.100")] },
    questions: [],
  },
  {
    name: "one that the host has is not asked for",
    input: { addresses: [here("192.0.2.100")] },
    questions: [],
  },
  {
    name: "one that was somebody else's on this host and is no more is asked for",
    input: { ledger: [foreign("192.0.2.100")] },
    questions: ["192.0.2.100 eth0 192.0.2.12"],
  },
];
for (const { name, input, questions } of asked) {
  test(name, () => {
    const { steps } = decide(input);
    const texts = steps.flatMap((step) => (step.kind === "ask" ? step.questions : []));
    const lines = texts.map(({ address: at, link, peers }) => [at, link, ...peers].join(" "));
    assert.deepEqual(lines, questions);
  });
}

test("a wanted address that was there before us is recorded as foreign and not handed over", () => {
  const { steps } = decide({ addresses: [here("192.0.2.100")] });
  const record = steps.find((step) => step.kind === "record");
  const hold = steps.find((step) => step.kind === "hold");
  assert.deepEqual(record?.entries, [foreign("192.0.2.100")]);
  assert.deepEqual(hold?.vips, []);
});

test("a lane follows the nginx for UDP while a VIP of it has a listener there", () => {
  const udpLanes = (wanted: StepInput["wanted"]): readonly string[] => {
    const hold = decide({ wanted }).steps.find((step) => step.kind === "hold");
    return [...(hold?.udpLanes ?? [])];
  };
  const other = laneOf({ routerId: 52, order: ["lb1=192.0.2.11", "lb2=192.0.2.12"] });
  const web = [other, vipOf("192.0.2.101", other), ...listenerOf("192.0.2.101:80/tcp", [])];
  assert.deepEqual(udpLanes(acceptedPlan("lb1", [LANE, KEPT, ...DNS, ...web])), [LANE.name]);
  assert.deepEqual(udpLanes(acceptedPlan("lb1", [LANE, KEPT, ...web])), []);
});

test("a host's own address that a pool has by mistake is not held, recorded or swept", () => {
  const mistakes = ["192.0.2.11", "192.0.2.12"].map((text) => vipOf(text, LANE));
  const wanted = acceptedPlan("lb1", [LANE, ...mistakes]);
  const ledger = [own("192.0.2.11"), own("192.0.2.12")];
  const addresses = [here("192.0.2.11"), here("192.0.2.12")];
  assert.equal(
    line(decide({ wanted, addresses, ledger })),
    "serve guard(12) record(12) hold sweep(12) forget() guard exactly()",
    "what was taken from the other host is given back",
  );
  assert.deepEqual(ledgerOfPlan(wanted), [], "nor is it ours where the ledger was lost");
});
