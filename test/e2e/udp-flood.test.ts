// A Service over UDP is flooded from made-up addresses, on a host as it is installed: members stand
// in the kernel's table, where each of nginx's sessions is an entry of connection tracking. Nobody
// else may suffer, and the operator is told.

import assert from "node:assert/strict";

import { type Host, startProbe } from "@fairlead/lab";

import { flood } from "./stage/flood.ts";
import { service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { remarkedOf } from "./stage/remarked.ts";
import { story } from "./stage/story.ts";

const DNS = { name: "dns", port: 53, targetPort: 5353, protocol: "UDP" } as const;
const NTP = { name: "ntp", port: 123, targetPort: 5353, protocol: "UDP" } as const;
/** Of a listener on a host of two workers: a quarter of their 16 384 connections, two a session. */
const SESSIONS_MAX = 2048;
/** A session lasts 20 s and its entry 30 s more, so each is followed by two at most. */
const ENTRIES_MAX = 3 * SESSIONS_MAX;
/** As many as a small host has, of which TCP needs its part. */
const CONNTRACK_FEW = 65_536;
const EVERY_MS = 50;

story(
  "a UDP Service is flooded by made-up clients: all others answer, and it is said to be full",
  { balancers: 1 },
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    await stage.write("dns.yaml", service({ name: "dns", ports: [DNS] }));
    await stage.write("ntp.yaml", service({ name: "ntp", ports: [NTP] }));
    const web = await stage.served("default/web");
    const [dns, ntp] = [await stage.served("default/dns"), await stage.served("default/ntp")];
    const host = stage.lab.host(web.holder);
    const [all, asked] = [{ everyMs: EVERY_MS }, { protocol: "udp" } as const];
    await using tcp = await startProbe(stage.client, { ...all, address: web.address, port: 80 });
    const other = { ...all, ...asked, address: ntp.address, port: NTP.port };
    await using udp = await startProbe(stage.client, other);
    await tcp.waitForAnswer(5_000);
    await udp.waitForAnswer(5_000);

    await using flooding = await flood(stage.client, { address: dns.address, port: DNS.port });
    await flooding.sent(2 * SESSIONS_MAX);
    const detail = new RegExp(`^${dns.address}:53/UDP of default/dns has the ${SESSIONS_MAX} `);
    await remarkedOf(stage, { agent: host.name, reason: "ListenerFull", detail });
    const tracked = await entriesOf(host);
    const [byTcp, byUdp] = [await tcp.stop(), await udp.stop()];
    noneFailed(byTcp, "a client over TCP");
    noneFailed(byUdp, "a client of another UDP Service");
    const most = ENTRIES_MAX + byTcp.tries + byUdp.tries;
    assert.ok(tracked >= SESSIONS_MAX, `${tracked} entries: sessions are tracked`);
    assert.ok(tracked <= most && most < CONNTRACK_FEW / 4, `${tracked} entries, at most ${most}`);
  },
);

async function entriesOf(host: Host): Promise<number> {
  return Number(await host.output("cat", ["/proc/sys/net/netfilter/nf_conntrack_count"]));
}
