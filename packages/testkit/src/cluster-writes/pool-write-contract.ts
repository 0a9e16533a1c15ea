// What a cluster does with the statuses of AddressPools that we write, as stories: a cluster in
// memory and a real API server play them. Given a way to make stages.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { isRightMissing, type KubeClient, poolStatusRequest } from "@fairlead/controller";
import { present } from "@fairlead/model";

import { childOf, isJson, type Json, textOf } from "../kube-stub/json-tree.ts";
import { cameTo, STORY_TIME } from "./written-words.ts";

/** A stage. It has no pools at first. */
export interface PoolWriteStage extends AsyncDisposable {
  /** As the controller asks, with the rights that it has. */
  readonly client: KubeClient;
  /** As somebody asks who has no rights at all. */
  readonly stranger: KubeClient;
  /** Makes a pool, or changes what it gives; by hand, as all that follows. */
  put(name: string, addresses: readonly string[]): Promise<void>;
  remove(name: string): Promise<void>;
  /** Says one more condition in the status. */
  say(name: string, condition: Json): Promise<void>;
  /** A pool as the server has it; undefined: there is none. */
  look(name: string): Promise<Json | undefined>;
}

type Status = Parameters<typeof poolStatusRequest>[1];

const ADDRESSES = ["192.0.2.0/28"];
const CONFLICT = "conflict CONFLICT";

/** Registers the stories for one kind of stage. */
export function testPoolWriteContract(kind: string, make: () => Promise<PoolWriteStage>): void {
  void suite(`what ${kind} does with our writes about pools`, () => {
    testStatuses(make);
    testIdentities(make);
    testRefusals(make);
  });
}

function testStatuses(make: () => Promise<PoolWriteStage>): void {
  test("a status comes without touching what the pool gives, and the other way round", async () => {
    await using stage = await make();
    await stage.put("lan", ADDRESSES);
    const made = await poolIn(stage);
    const answer = await write(stage, status(3));
    assert.deepEqual(answer, await poolIn(stage));
    assert.deepEqual(answer["status"], status(3));
    assert.deepEqual(answer["spec"], made["spec"]);
    assert.equal(childOf(answer, "metadata")["generation"], 1);
    await stage.put("lan", ["192.0.2.0/27"]);
    const changed = await poolIn(stage);
    assert.deepEqual(changed["status"], status(3));
    assert.equal(childOf(changed, "metadata")["generation"], 2);
  });

  test("a status that is written again changes nothing, and is no new version", async () => {
    await using stage = await make();
    await stage.put("lan", ADDRESSES);
    const once = await write(stage, status(3));
    assert.deepEqual(await write(stage, status(3)), once);
    await stage.put("lan", ADDRESSES);
    assert.deepEqual(await poolIn(stage), once, "and so does a hand");
  });

  test("what is said no more goes, and a condition of somebody else's stays", async () => {
    await using stage = await make();
    await stage.put("lan", ADDRESSES);
    await write(stage, status(3));
    const theirs = { ...condition("Audited"), reason: "Yearly" };
    await stage.say("lan", theirs);
    const { usage: _, ...less } = status(3);
    const { conditions, ...rest } = childOf(await write(stage, less), "status");
    assert.deepEqual(rest, { observedGeneration: 1 });
    assert.deepEqual(conditions, [condition("Ready"), theirs]);
  });
}

function testIdentities(make: () => Promise<PoolWriteStage>): void {
  test("by an older version, or for a pool that is gone or another one, nothing is written", async () => {
    await using stage = await make();
    await stage.put("lan", ADDRESSES);
    const request = requestOf(await poolIn(stage), status(3));
    await stage.put("lan", ["192.0.2.0/27"]);
    const changed = await poolIn(stage);
    assert.equal(await cameTo(stage.client, request), CONFLICT);
    assert.deepEqual(await poolIn(stage), changed);
    await stage.remove("lan");
    assert.equal(await cameTo(stage.client, request), "conflict NOT_FOUND");
    assert.equal(await stage.look("lan"), undefined, "it is not made again");
    await stage.put("lan", ADDRESSES);
    const other = await poolIn(stage);
    assert.notEqual(childOf(other, "metadata")["uid"], childOf(changed, "metadata")["uid"]);
    assert.equal(await cameTo(stage.client, request), CONFLICT);
    assert.deepEqual(await poolIn(stage), other);
  });

  test("the version alone says which pool is meant, and its uid stays whatever is said", async () => {
    await using stage = await make();
    await stage.put("lan", ADDRESSES);
    const seen = await poolIn(stage);
    const { uid, resourceVersion } = childOf(seen, "metadata");
    const metadata = { uid: "00000000-0000-4000-8000-000000000001", resourceVersion };
    assert.equal(await cameTo(stage.client, requestOf({ metadata }, status(3))), "written");
    const written = await poolIn(stage);
    assert.equal(childOf(written, "metadata")["uid"], uid);
    assert.deepEqual(written["status"], status(3));
  });
}

function testRefusals(make: () => Promise<PoolWriteStage>): void {
  test("without the right nothing is written, and the answer names the right", async () => {
    await using stage = await make();
    await stage.put("lan", ADDRESSES);
    const request = requestOf(await poolIn(stage), status(3));
    assert.equal(await cameTo(stage.stranger, request), "forbidden FORBIDDEN");
    await assert.rejects(stage.stranger.request(request), (error) => {
      assert.ok(error instanceof Error && isRightMissing(error));
      assert.match(
        error.message,
        /cannot patch resource "addresspools\/status" in API group "fairlead\.io" at the cluster scope$/u,
      );
      return true;
    });
    assert.equal((await poolIn(stage))["status"], undefined);
  });
}

function status(held: number): Status & Json {
  const used = `${held}/16`;
  return {
    observedGeneration: 1,
    usage: { ipv4: { size: "16", held, draining: 0, quarantined: 0, used } },
    conditions: [condition("Ready")],
  };
}

function condition<T extends string>(type: T) {
  const words = { reason: "InUse", message: "The pool gives addresses." };
  const times = { observedGeneration: 1, lastTransitionTime: STORY_TIME };
  return { type, status: "True", ...words, ...times } as const;
}

function requestOf(pool: Json, said: Status): ReturnType<typeof poolStatusRequest> {
  const metadata = childOf(pool, "metadata");
  const [uid, resourceVersion] = [textOf(metadata, "uid"), textOf(metadata, "resourceVersion")];
  return poolStatusRequest({ name: "lan", uid, resourceVersion }, said);
}

async function poolIn(stage: PoolWriteStage): Promise<Json> {
  return present(await stage.look("lan"), "the pool");
}

async function write(stage: PoolWriteStage, said: Status): Promise<Json> {
  const answer = await stage.client.request(requestOf(await poolIn(stage), said));
  return isJson(answer) ? answer : {};
}
