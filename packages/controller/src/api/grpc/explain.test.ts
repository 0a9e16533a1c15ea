// Chains of what is no object but is wrong, whose texts stand in testdata/finding-chains.txt; and
// what explain makes of the subject that it is asked about, also of one that is not there.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { plan } from "@fairlead/planner";
import { adminContextOf, testChains } from "@fairlead/testkit";

import { explain } from "./explain.ts";

const GOLDEN = new URL("testdata/finding-chains.txt", import.meta.url);
const UNMOUNTED = "the folder is unmounted";

testChains(GOLDEN, plan, [
  {
    name: "a file that does not parse",
    subject: "team/broken.yaml",
    situation: {
      view: {
        findings: [
          {
            subject: "file",
            name: "team/broken.yaml",
            reason: "ManifestUnreadable",
            detail: "line 3: a mapping is not closed",
          },
        ],
      },
    },
  },
  {
    name: "a file with an object whose name is none",
    subject: "names.yaml",
    situation: {
      view: {
        findings: [
          {
            subject: "object",
            name: 'Service "default/a;b" in names.yaml',
            reason: "BadName",
            detail: 'in "names.yaml": metadata.name "a;b" is no name',
          },
        ],
      },
    },
  },
  {
    name: "a folder that was emptied",
    subject: UNMOUNTED,
    situation: {
      view: {
        findings: [
          { subject: "source", name: UNMOUNTED, reason: "SourceEmptied", detail: "all went" },
        ],
      },
    },
  },
]);

test("a subject may be named with its kind, as kubectl takes it", () => {
  const kinds = ["service/web", "svc/default/web", "agent/lb-1", "pool/default"];
  const names = kinds.map((subject) =>
    explain(adminContextOf({}, plan), subject).title?.split(" ").at(-1),
  );
  assert.deepEqual(names, ["default/web", "default/web", "lb-1", "default"]);
});

suite("what is not there", () => {
  const similar = (subject: string): readonly string[] => {
    const answer = explain(adminContextOf({}, plan), subject);
    assert.equal(answer.found, false);
    return answer.similar ?? [];
  };

  test("is answered with names that look like it", () => {
    assert.deepEqual(similar("default/wob"), ["default/web"]);
    assert.deepEqual(similar("wbe"), ["default/web"]);
    assert.deepEqual(similar("other/web"), ["default/web"]);
    assert.deepEqual(similar("lb-9"), ["lb-1"]);
    assert.deepEqual(similar("defualt"), ["default"]);
  });

  test("may be any text of any length", () => {
    for (const text of ["", "/", "//", "a/b/c/d", "\n", "x".repeat(100_000), "__proto__"]) {
      assert.deepEqual(similar(text), [], JSON.stringify(text.slice(0, 20)));
    }
  });
});
