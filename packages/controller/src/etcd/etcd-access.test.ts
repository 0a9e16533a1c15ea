// How `--store etcd:...` is read: what people write, and that a password never shows.

import assert from "node:assert/strict";
import { test } from "node:test";

import { etcdName, readEtcdUrls } from "./etcd-access.ts";

const good: readonly {
  readonly text: string;
  readonly urls: readonly string[];
  readonly user?: { readonly name: string; readonly password: string };
}[] = [
  { text: "etcd:http://10.0.0.1:2379", urls: ["http://10.0.0.1:2379"] },
  {
    text: "etcd:http://a.example,http://b.example:80/",
    urls: ["http://a.example:2379", "http://b.example:80"],
  },
  { text: "etcd:https://[2001:db8::1]:443", urls: ["https://[2001:db8::1]:443"] },
  {
    text: "etcd:http://lb:s%40cret@a:2379,http://b:2379",
    urls: ["http://a:2379", "http://b:2379"],
    user: { name: "lb", password: "s@cret" },
  },
  {
    text: "etcd:http://lb:100%@a",
    urls: ["http://a:2379"],
    user: { name: "lb", password: "100%" },
  },
];

for (const { text, urls, user } of good) {
  test(`${text} is read`, () => {
    const read = readEtcdUrls(text);
    assert.ok(read.kind === "ok");
    assert.deepEqual(read.access, { urls, ...(user === undefined ? {} : { user }) });
    assert.equal(etcdName(read.access), `etcd at ${urls.join(", ")}`);
  });
}

const bad = [
  { text: "etcd:", says: /"" is no URL$/ },
  { text: "etcd:10.0.0.1:2379", says: /is no URL$/ },
  { text: "etcd:tcp://a:1", says: /"tcp:\/\/a:1" is neither http nor https$/ },
  { text: "etcd:http://a:1/v3", says: /"http:\/\/a:1" has a path$/ },
  { text: "etcd:http://a:1,https://b:1", says: /all of them https$/ },
  { text: "etcd:http://lb:secret@a b", says: /"a b" is no URL$/ },
  { text: "etcd:ftp://lb:secret@a", says: /"ftp:\/\/a" is neither/ },
  { text: `etcd:${"http://a,".repeat(30)}`, says: /at most 20 URLs$/ },
];

for (const { text, says } of bad) {
  test(`${text.slice(0, 40)} is refused in words`, () => {
    const read = readEtcdUrls(text);
    assert.ok(read.kind === "bad");
    assert.match(read.expected, says);
    assert.doesNotMatch(read.expected, /secret/);
  });
}
