// Listeners come and go while clients connect all the time: each change is a reload of nginx on
// every host, and no connection fails. TCP and UDP have an nginx each, and only the one that is
// concerned reloads.

import assert from "node:assert/strict";

import { monotonicMs, startProbe } from "@fairlead/lab";

import { HTTP, service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { claimOf } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { answers } from "./stage/visitor.ts";

/** Changes of listeners; each is one reload. */
const CHANGES = 8;
/** 250 connections a second. */
const EVERY_MS = 4;
/** Passes that change nginx are a second apart, and a failed one comes again after five. */
const UDP_ENDS_MS_MAX = 10_000;

story("reloads under load lose no connection, nor a datagram's answer", {}, async (stage) => {
  const dns = { name: "dns", port: 53, targetPort: 5353, protocol: "UDP" } as const;
  await stage.write("web.yaml", service({ name: "web" }));
  await stage.write("dns.yaml", service({ name: "dns", ports: [dns] }));
  const web = await stage.served("default/web");
  const names = await stage.served("default/dns");
  // Until then only the hosts that began the two lanes have the listeners of theirs.
  await stage.backed();
  await stage.inSync();
  const holder = stage.lab.host(web.holder);
  const udpFile = (): Promise<string> => holder.readFile("/run/fairlead/nginx-udp/nginx.conf");
  const before = await udpFile();
  assert.ok(before.includes(`${names.address}:53 udp`), "UDP has a file of its own");
  const tcpFile = await holder.readFile("/run/fairlead/nginx/nginx.conf");
  assert.ok(!tcpFile.includes(`${names.address}:53`), "and TCP has none of it");

  const toWeb = { address: web.address, port: 80, everyMs: EVERY_MS };
  await using probe = await startProbe(stage.client, toWeb);
  await probe.waitForAnswer(5_000);
  for (let change = 1; change <= CHANGES; change += 1) {
    const more = { name: "more", port: 8000 + change, targetPort: 8081 };
    await stage.write("other.yaml", service({ name: "other", ports: [HTTP, more] }));
    await stage.until(`port ${more.port} is served`, (list) => {
      const claim = claimOf(list, "default/other");
      const isServed = claim?.ports.includes(`${more.port}/TCP`) === true;
      return isServed && claim?.state === "ready" ? true : undefined;
    });
  }
  const seen = await probe.stop();
  assert.ok(seen.tries > 100, `${seen.tries} connections`);
  noneFailed(seen);
  assert.equal(await udpFile(), before, "nothing changed for UDP");
  const byMember = await answers(stage.client, {
    address: names.address,
    port: 53,
    protocol: "udp",
  });
  assert.equal(Object.keys(byMember).length, 1, "UDP is answered on");

  await stage.remove("dns.yaml");
  await stage.until("the Service over UDP is gone", (list) =>
    claimOf(list, "default/dns") === undefined ? true : undefined,
  );
  // Its listener lingers until the address has left the host; then its nginx ends, with its file.
  const left = async (): Promise<string> =>
    (await holder.exec("ls", ["/run/fairlead/nginx-udp"])).stdout;
  const endMs = monotonicMs() + UDP_ENDS_MS_MAX;
  while (/nginx\.conf|\.sock/.test(await left())) {
    assert.ok(monotonicMs() < endMs, `still there: ${await left()}`);
  }
});
