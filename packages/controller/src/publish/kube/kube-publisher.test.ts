// What stands on Services of a cluster, and in which order it came there.

import assert from "node:assert/strict";
import { test } from "node:test";

import { FINALIZER } from "../../kube/service-record.ts";
import { leased, PublishStage, refused, served, waiting } from "./publish-stage.ts";
import { hastyClock } from "./hasty-clock.ts";

test("the finalizer comes before the address, and all takes three writes", async () => {
  await using stage = new PublishStage();
  stage.create("web", leased());
  await stage.pass(100);
  stage.want("web", served());
  await stage.pass();
  assert.deepEqual(stage.wrote(), [
    "event web AddressAllocated",
    "hold web",
    "status web 192.0.2.10",
  ]);
  assert.deepEqual(stage.shows("web"), ["192.0.2.10"]);
  assert.equal(stage.condition("web", "Serving"), "True Proved");
});

test("proof that is late costs one write more, and says meanwhile what is waited for", async () => {
  await using stage = new PublishStage();
  stage.create("web", leased());
  await stage.pass(2000);
  assert.equal(stage.condition("web", "Serving"), "False WaitingForAgent");
  stage.want("web", served());
  await stage.pass();
  const all = ["event web AddressAllocated", "hold web", "status web", "status web 192.0.2.10"];
  assert.deepEqual(stage.wrote(), all);
});

test("a wait that ends while a Service is judged is over, and what is due is written", async () => {
  await using stage = new PublishStage(hastyClock);
  stage.create("web", served());
  await stage.pass();
  stage.want("web", { ...served(), memberless: true });
  await stage.pass();
  assert.equal(stage.condition("web", "MembersReady"), "False NoMembers");
});

test("nothing is written while nothing changes, nor when members or reports do", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.pass();
  stage.wrote();
  await stage.pass(3_600_000);
  // Another verdict that says the same of everything that is written.
  stage.want("web", served("192.0.2.10", "lb-1"));
  await stage.pass(60_000);
  assert.deepEqual(stage.wrote(), []);
});

test("what is deleted while it waits goes without a write", async () => {
  await using stage = new PublishStage();
  stage.create("web", waiting("NoPool"));
  await stage.pass();
  stage.wrote();
  stage.cluster.delete("web");
  stage.end("web");
  await stage.pass();
  assert.equal(stage.cluster.record("web"), undefined);
  assert.deepEqual(stage.wrote(), []);
});

test("what is deleted stays until no agent has its address, and is let go exactly once", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.pass();
  stage.wrote();
  stage.cluster.delete("web");
  stage.end("web");
  await stage.pass(60_000);
  assert.equal(stage.cluster.record("web")?.isDeleting, true);
  assert.deepEqual(stage.wrote(), [], "the status of what goes is left alone");
  stage.free("192.0.2.10");
  await stage.pass(60_000);
  assert.equal(stage.cluster.record("web"), undefined);
  assert.deepEqual(stage.wrote(), ["event web AddressReleased", "release web"]);
});

test("once another controller speaks nothing more is written, not even what was owed", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.clock.advance(2);
  stage.publish();
  stage.pause();
  await stage.clock.advance(60_000);
  assert.deepEqual(stage.wrote(), []);
  await stage.pass();
  const all = ["event web AddressAllocated", "hold web", "status web 192.0.2.10"];
  assert.deepEqual(stage.wrote().toSorted(), all);
});

test("who speaks again tells nothing that the one between told and wrote down", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.pass();
  stage.wrote();
  stage.pause();
  await stage.pass(60_000);
  assert.deepEqual(stage.wrote(), []);
});

test("no finalizer is added to what is being deleted", async () => {
  await using stage = new PublishStage();
  stage.cluster.create("web", { finalizers: ["example.com/other"] });
  stage.cluster.delete("web");
  stage.want("web", leased());
  await stage.pass();
  assert.deepEqual(stage.wrote(), ["event web AddressAllocated"]);
});

test("of a Service that becomes another type all that is ours goes, and comes back with it", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.pass();
  stage.wrote();
  stage.cluster.edit("web", (service) => {
    service.type = "ClusterIP";
  });
  stage.end("web");
  await stage.pass();
  assert.deepEqual(stage.wrote(), ["clear web"]);
  assert.deepEqual(stage.cluster.record("web")?.conditions, []);
  assert.deepEqual(stage.cluster.record("web")?.finalizers, [FINALIZER]);
  stage.free("192.0.2.10");
  await stage.pass();
  assert.deepEqual(stage.wrote(), ["event web AddressReleased", "release web"]);
  assert.deepEqual(stage.cluster.record("web")?.finalizers, []);

  stage.cluster.edit("web", (service) => {
    service.type = "LoadBalancer";
  });
  stage.want("web", served());
  await stage.pass();
  // What repeats within minutes is counted.
  assert.deepEqual(stage.wrote(), ["count web 2", "hold web", "status web 192.0.2.10"]);
  assert.deepEqual(stage.shows("web"), ["192.0.2.10"]);
});

test("a Service of another type shows conditions, and no address, which the server would refuse", async () => {
  await using stage = new PublishStage();
  stage.create("web", served(), "ClusterIP");
  await stage.pass(60_000);
  assert.deepEqual(stage.wrote(), ["event web AddressAllocated", "hold web", "status web"]);
  assert.equal(stage.condition("web", "Serving"), "True Proved");
  assert.deepEqual(stage.troubles, []);
});

test("an owner that is not seen just now keeps what it has", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.pass();
  stage.wrote();
  stage.lose("web");
  await stage.restart();
  await stage.pass(60_000);
  assert.deepEqual(stage.wrote(), []);
});

test("what an earlier life left on a Service that asks no more is taken away", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.pass();
  stage.end("web");
  stage.free("192.0.2.10");
  stage.wrote();
  await stage.restart();
  await stage.pass();
  assert.deepEqual(stage.wrote(), ["clear web", "release web"]);
});

test("a finalizer that came with a copy of the object goes as well", async () => {
  await using stage = new PublishStage();
  stage.cluster.create("web", { finalizers: ["example.com/other", FINALIZER] });
  await stage.pass();
  assert.deepEqual(stage.wrote(), ["release web"]);
  assert.deepEqual(stage.cluster.record("web")?.finalizers, ["example.com/other"]);
});

test("a status edited by hand is put right at once, and no faster each time by two who fight", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.pass();
  stage.wrote();
  const overwrite = (): void =>
    stage.cluster.edit("web", (service) => {
      service.ingress = [{ ip: "203.0.113.1" }];
    });
  overwrite();
  await stage.clock.advance(20);
  assert.deepEqual(stage.shows("web"), ["192.0.2.10"]);

  // Somebody overwrites it whenever we have put it right.
  const unsubscribe = stage.cluster.book.subscribe(() => {
    if (stage.shows("web")[0] === "192.0.2.10") overwrite();
  });
  overwrite();
  stage.wrote();
  await stage.clock.advance(3_600_000);
  unsubscribe();
  const times = stage.wrote();
  assert.ok(times.length >= 12 && times.length <= 30, `${times.length} writes in an hour`);
});

test("a condition edited by hand is put right", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.pass();
  stage.cluster.edit("web", (service) => {
    service.conditions = new Map();
  });
  await stage.clock.advance(1000);
  assert.equal(stage.condition("web", "Serving"), "True Proved");
});

test("what another controller wrote for a Service that we refuse is left alone", async () => {
  await using stage = new PublishStage();
  stage.create("web", refused("OtherControllerActive"));
  stage.cluster.edit(
    "web",
    (service) => {
      service.ingress = [{ ip: "203.0.113.1" }];
    },
    "metallb",
  );
  await stage.pass(60_000);
  assert.deepEqual(stage.wrote(), ["event web OtherControllerActive", "status web"]);
  assert.deepEqual(stage.shows("web"), ["203.0.113.1"]);
});

test("an address that a hand gave to a Service that waits goes", async () => {
  await using stage = new PublishStage();
  stage.create("web", leased());
  await stage.pass(1000);
  stage.cluster.edit("web", (service) => {
    service.ingress = [{ ip: "203.0.113.1" }];
  });
  await stage.pass();
  assert.deepEqual(stage.shows("web"), []);
});

test("a conflict waits for the newer version, and the write follows by that", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.clock.advance(2);
  stage.cluster.holdWatch();
  stage.cluster.edit("web", (service) => {
    service.finalizers = ["example.com/other"];
  });
  stage.publish();
  await stage.clock.advance(3000);
  assert.deepEqual(stage.results.slice(0, 2), ["event written", "finalizer conflict"]);
  assert.equal(stage.results.length, 2, "it is not tried again by what is known to be old");
  stage.cluster.catchUp();
  await stage.clock.advance(1000);
  assert.deepEqual(stage.shows("web"), ["192.0.2.10"]);
  assert.deepEqual(stage.cluster.record("web")?.finalizers, ["example.com/other", FINALIZER]);
});

test("a watch that stays behind is looked at again, without a storm", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.clock.advance(2);
  stage.cluster.holdWatch();
  stage.cluster.edit("web", (service) => {
    service.finalizers = ["example.com/other"];
  });
  stage.publish();
  await stage.clock.advance(600_000);
  const conflicts = stage.results.filter((result) => result === "finalizer conflict").length;
  assert.ok(conflicts > 5 && conflicts <= 120, `${conflicts} conflicts in ten minutes`);
});

test("our own answer counts until the watch has shown it", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.clock.advance(2);
  stage.cluster.holdWatch();
  stage.publish();
  await stage.clock.advance(60_000);
  assert.deepEqual(stage.wrote(), [
    "event web AddressAllocated",
    "hold web",
    "status web 192.0.2.10",
  ]);
  stage.cluster.catchUp();
  await stage.clock.advance(60_000);
  assert.deepEqual(stage.wrote(), []);
});

test("an object made again under the name is another one", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.pass();
  stage.cluster.edit("web", (service) => {
    service.finalizers = [];
  });
  stage.cluster.delete("web");
  await stage.clock.advance(10);
  stage.cluster.create("web");
  stage.wrote();
  await stage.pass();
  assert.deepEqual(stage.wrote(), [], "what is wanted is of the one before");
  stage.end("web");
  stage.want("web", served());
  await stage.pass();
  assert.deepEqual(stage.shows("web"), ["192.0.2.10"]);
});
