// What people do with Services from day to day: create, change, delete, and members that come and
// go. Nothing fails in these stories, and nobody may notice more than what was asked for.

import assert from "node:assert/strict";

import { answers, visit } from "./stage/visitor.ts";
import { service } from "./stage/manifests.ts";
import { story } from "./stage/story.ts";

story("a created Service is answered by all its members through its address", {}, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const web = await stage.served("default/web");
  assert.equal(web.address, "10.77.0.100", "the lowest free address of the pool");
  assert.deepEqual(stage.recorder.holders(web.address), [web.holder]);
  const byMember = await answers(stage.client, { address: web.address, port: 80 });
  assert.deepEqual(Object.keys(byMember), ["member1", "member2"]);
  const closed = await visit(stage.client, [`${web.address}:81`]);
  assert.equal(closed[`${web.address}:81`], null);
});
