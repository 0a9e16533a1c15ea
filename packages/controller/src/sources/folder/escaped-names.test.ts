// Names with quotes, backslashes and line ends, from the folder to the finding that tells them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { DEADLINE, openStory, service } from "./folder-story.ts";

test("names of objects and files are escaped once where findings tell them", DEADLINE, async () => {
  await using story = await openStory();
  const file = String.raw`a"b\c.yaml`;
  await story.write(file, service('we"b\n\\x'));
  await story.start();
  assert.deepEqual(story.findings(), [
    {
      subject: "object",
      name: String.raw`Service "default/we\"b\n\\x" in a"b\\c.yaml`,
      reason: "BadName",
      detail: String.raw`in "a\"b\\c.yaml": metadata.name "we\"b\n\\x" is no name`,
      files: [String.raw`a"b\\c.yaml`],
    },
  ]);
});
