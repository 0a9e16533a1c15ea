// What lists and watch events of one kind add up to: what is gone, what is in doubt, and what to
// make of a server that shows the past.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { type Change, type ObjectMeta, ObjectSet } from "./object-set.ts";

const meta = (key: string, version: number, uid = `uid-of-${key}`): ObjectMeta => {
  return { key, uid, version };
};
const listed = (...metas: readonly ObjectMeta[]) =>
  metas.map((one) => ({ meta: one, value: `${one.key}@${one.version}` }));
const words = (changes: readonly Change<string>[]): readonly string[] =>
  changes.map(({ kind, entry }) => `${kind} ${entry.value}`);
const S = 1000;

function filled(): ObjectSet<string> {
  const set = new ObjectSet<string>();
  list(set, listed(meta("a", 3), meta("b", 5)), 10, 0);
  return set;
}

/** A whole list in pages of one. */
function list(
  set: ObjectSet<string>,
  all: ReturnType<typeof listed>,
  version: number,
  nowMs: number,
): ReturnType<ReturnType<ObjectSet<string>["beginList"]>["end"]> {
  const progress = set.beginList(version, nowMs);
  const changes = all.flatMap((one) => progress.take([one]));
  const outcome = progress.end();
  return { ...outcome, changes: [...changes, ...outcome.changes] };
}

suite("a watch", () => {
  test("adds, changes and removes, each once", () => {
    const set = filled();
    assert.deepEqual(words(set.upsert(meta("c", 11), "c@11")), ["upsert c@11"]);
    assert.deepEqual(words(set.upsert(meta("c", 12), "c@12")), ["upsert c@12"]);
    assert.deepEqual(words(set.remove(meta("c", 13))), ["gone c@12"]);
    assert.deepEqual(words(set.remove(meta("c", 13))), []);
  });

  test("that tells an old story changes nothing", () => {
    const set = filled();
    assert.deepEqual(words(set.upsert(meta("b", 4), "b@4")), []);
    assert.deepEqual(words(set.remove(meta("b", 4))), []);
  });

  test("shows an object made again under its name as the end of one and the start of another", () => {
    const set = filled();
    const changes = set.upsert(meta("a", 11, "another"), "a@11");
    assert.deepEqual(words(changes), ["gone a@3", "upsert a@11"]);
    // The end of the first one comes late.
    assert.deepEqual(words(set.remove(meta("a", 12))), []);
    assert.equal(set.entries.get("a")?.uid, "another");
  });

  test("of a server whose bookmarks lie in the past is not gone on with", () => {
    const set = filled();
    assert.equal(set.bookmark(11), true);
    assert.equal(set.bookmark(11), true);
    assert.equal(set.bookmark(9), false);
  });

  test("takes versions that are no numbers as they come", () => {
    const set = new ObjectSet<string>();
    list(set, listed(meta("a", Number.NaN)), Number.NaN, 0);
    assert.deepEqual(words(set.upsert(meta("a", Number.NaN), "a@new")), ["upsert a@new"]);
    assert.deepEqual(words(set.remove(meta("a", Number.NaN))), ["gone a@new"]);
  });
});

suite("what a list lacks", () => {
  test("stays, and is gone when a second list thirty seconds later lacks it too", () => {
    const set = filled();
    const first = list(set, listed(meta("a", 3)), 20, 0);
    assert.deepEqual(words(first.changes), ["doubt b@5"]);
    assert.equal(first.isDoubtful, true);
    assert.ok(set.entries.has("b"));
    assert.deepEqual(words(list(set, listed(meta("a", 3)), 21, 29 * S).changes), []);
    const last = list(set, listed(meta("a", 3)), 22, 30 * S);
    assert.deepEqual(words(last.changes), ["gone b@5"]);
    assert.equal(last.isDoubtful, false);
  });

  test("and a later one has again was never gone", () => {
    const set = filled();
    list(set, [], 20, 0);
    const back = list(set, listed(meta("a", 3), meta("b", 5)), 21, 60 * S);
    assert.deepEqual(words(back.changes), ["doubt a@3", "doubt b@5"]);
    assert.equal(back.isDoubtful, false);
    assert.equal(set.entries.size, 2);
  });

  test("is gone at once when it is seen to be deleted", () => {
    const set = filled();
    list(set, [], 20, 0);
    assert.deepEqual(words(set.remove(meta("b", 21))), ["gone b@5"]);
  });
});

suite("a server whose versions went back", () => {
  test("is not believed for a while: newer objects stay as they were", () => {
    const set = filled();
    set.upsert(meta("b", 15), "b@15");
    const old = list(set, listed(meta("a", 3), meta("b", 5)), 10, 0);
    assert.deepEqual(words(old.changes), []);
    assert.equal(set.isBehind, true);
    assert.equal(set.entries.get("b")?.version, 15);
  });

  test("is forgiven when it has caught up", () => {
    const set = filled();
    set.upsert(meta("b", 15), "b@15");
    list(set, listed(meta("b", 5)), 10, 0);
    list(set, listed(meta("a", 3), meta("b", 15)), 16, 31 * S);
    assert.equal(set.isBehind, false);
    assert.equal(set.entries.size, 2);
  });

  test("is the truth after thirty seconds: its store was put back", () => {
    const set = filled();
    set.upsert(meta("b", 15), "b@15");
    set.upsert(meta("c", 16), "c@16");
    list(set, listed(meta("a", 3), meta("b", 5)), 10, 0);
    const second = list(set, listed(meta("a", 3), meta("b", 5)), 11, 30 * S);
    assert.deepEqual(words(second.changes), ["upsert b@5", "gone c@16"]);
    // From there on its versions are those that count.
    assert.deepEqual(words(set.upsert(meta("b", 12), "b@12")), ["upsert b@12"]);
  });
});

suite("a second look", () => {
  test("finds nothing where the watch has shown all", () => {
    const set = filled();
    const { differences, isOutdated, changes } = set.beginLook()(
      [meta("a", 3), meta("b", 5)],
      12,
      0,
    );
    assert.deepEqual({ differences, isOutdated, changes }, expected(0, false));
  });

  test("does not count what is newer than the watch: it is on its way", () => {
    const set = filled();
    const look = set.beginLook()([meta("a", 3), meta("b", 11), meta("c", 12)], 12, 0);
    assert.deepEqual(
      { differences: look.differences, isOutdated: look.isOutdated, changes: look.changes },
      expected(0, false),
    );
  });

  test("is no difference from what the watch shows while it is under way", () => {
    const set = filled();
    const takeIn = set.beginLook();
    set.upsert(meta("c", 15), "c@15");
    const { differences, isOutdated, changes } = takeIn([meta("a", 3), meta("b", 5)], 12, 0);
    assert.deepEqual({ differences, isOutdated, changes }, expected(0, false));
  });

  test("is no difference from what the watch shows to be deleted, or made again, meanwhile", () => {
    const set = filled();
    const takeIn = set.beginLook();
    set.remove(meta("a", 13));
    set.remove(meta("b", 14));
    set.upsert(meta("b", 15, "another uid"), "b@15");
    const { differences, isOutdated, changes } = takeIn([meta("a", 3), meta("b", 5)], 12, 0);
    assert.deepEqual({ differences, isOutdated, changes }, expected(0, false));
  });

  test("counts what stands there and was deleted, as was seen, before it began", () => {
    const set = filled();
    set.beginLook()([meta("a", 3), meta("b", 5)], 12, 0);
    set.remove(meta("a", 13));
    const { differences, isOutdated } = set.beginLook()([meta("a", 3), meta("b", 5)], 14, 0);
    assert.deepEqual({ differences, isOutdated }, { differences: 1, isOutdated: true });
  });

  test("counts what the watch passed over, and asks for a list", () => {
    const set = filled();
    set.bookmark(20);
    const { differences, isOutdated } = set.beginLook()(
      [meta("a", 18), meta("b", 5), meta("c", 19)],
      20,
      0,
    );
    assert.equal(differences, 2);
    assert.equal(isOutdated, true);
  });

  test("counts what went without a word only when it is sure", () => {
    const set = filled();
    assert.equal(set.beginLook()([meta("a", 3)], 20, 0).differences, 0);
    const second = set.beginLook()([meta("a", 3)], 30, 31 * S);
    assert.equal(second.differences, 1);
    assert.deepEqual(words(second.changes), ["gone b@5"]);
  });

  test("confirms what a list lacked", () => {
    const set = filled();
    list(set, listed(meta("a", 3)), 20, 0);
    assert.deepEqual(words(set.beginLook()([meta("a", 3)], 21, 31 * S).changes), ["gone b@5"]);
  });
});

function expected(differences: number, isOutdated: boolean): object {
  return { differences, isOutdated, changes: [] };
}
