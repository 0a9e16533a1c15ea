// Where members stand on a host: in a table of the kernel that somebody else deletes and whose
// addresses an operator asks about, or in nginx's own file, as an operator asks for or the kernel
// has no table like that.

import assert from "node:assert/strict";

import { monotonicMs, startProbe } from "@fairlead/lab";

import { RUN_DIR } from "./stage/daemons.ts";
import { readSamples } from "./stage/linted-metrics.ts";
import { MEMBERS, service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { claimOf, program, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { answers } from "./stage/visitor.ts";

const ONE_HOST = { balancers: 1 };
const DNS = { name: "dns", port: 53, targetPort: 5353, protocol: "UDP" } as const;
const REPAIRED_MS_MAX = 2_000;
/** Ways to choose members, one after the other, and the name that nginx has for each. */
const BALANCINGS: readonly (readonly [string, string])[] = [
  ["round-robin", "by-turn"],
  ["least-conn", "tcp-"],
  ["random", "by-random"],
  ["hash", "by-remote_addr"],
  ["random", "by-random"],
  ["round-robin", "by-turn"],
];
const TABLE = ["table", "inet", "fairlead_members"];
const FOREIGN = `table inet other {
  set hosts { type ipv4_addr; elements = { 192.0.2.1, 192.0.2.2 } }
  chain out { type filter hook output priority 5; ip daddr @hosts reject; }
}
`;

story(
  "the table of members is deleted by somebody else: it is back, and what is not ours is as it was",
  ONE_HOST,
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    const { address, holder } = await stage.served("default/web");
    const host = stage.lab.host(holder);
    await host.output("nft", ["--file", "-"], { input: FOREIGN });
    const foreign = await host.output("nft", ["list", "table", "inet", "other"]);
    await using probe = await startProbe(stage.client, { address, port: 80 });
    await probe.waitForAnswer(5_000);

    await host.output("nft", ["delete", ...TABLE]);
    await probe.waitForAnswer(REPAIRED_MS_MAX, monotonicMs());
    // Emptied it is worth as little.
    await host.output("nft", ["flush", ...TABLE]);
    await probe.waitForAnswer(REPAIRED_MS_MAX, monotonicMs());

    await leaveOne(stage);
    assert.deepEqual(await whoAnswers(stage, address), ["member2"]);
    assert.equal(await host.output("nft", ["list", "table", "inet", "other"]), foreign);
  },
);

story("a Service of one member gets 23 more: nginx is not reloaded", ONE_HOST, async (stage) => {
  const members = [...MEMBERS, ...Array.from({ length: 22 }, (_, at) => `10.77.0.${150 + at}`)];
  await stage.write("web.yaml", service({ name: "web", members: members.slice(0, 1) }));
  const { address, holder } = await stage.served("default/web");
  await stage.inSync();
  const host = stage.lab.host(holder);
  const reloads = async (): Promise<readonly number[]> =>
    (await readSamples(host, 7714, "fairlead_proxy_reloads_total")).map(({ value }) => value);
  const before = await reloads();
  for (const count of [6, 7, 24]) {
    await stage.write("web.yaml", service({ name: "web", members: members.slice(0, count) }));
    await stage.until(`it has ${count} members`, (list) =>
      claimOf(list, "default/web")?.members === count ? true : undefined,
    );
    await stage.inSync();
  }
  await leaveOne(stage);
  assert.deepEqual(await whoAnswers(stage, address), ["member2"]);
  assert.deepEqual(await reloads(), before);
});

story(
  "a Service's balancing is edited, whoever chooses its members then: no client notices",
  ONE_HOST,
  async (stage) => {
    const balanced = async (balance: string): Promise<void> => {
      const annotations = { "fairlead.io/balance": balance };
      await stage.write("web.yaml", service({ name: "web", annotations }));
    };
    await balanced("hash");
    const { address, holder } = await stage.served("default/web");
    const host = stage.lab.host(holder);
    await using probe = await startProbe(stage.client, { address, port: 80, everyMs: 5 });
    await probe.waitForAnswer(5_000);
    for (const [balance, name] of BALANCINGS) {
      await balanced(balance);
      const untilThere = `until grep -q 'proxy_pass ${name}' ${RUN_DIR}/nginx/nginx.conf; do sleep 0.05; done`;
      await host.output("sh", ["-c", untilThere], { timeoutMs: 10_000 });
      await stage.inSync();
      await probe.waitForAnswer(5_000);
    }
    noneFailed(await probe.stop());
  },
);

story(
  "an operator meets a service address in the kernel's connections: explain says whose it is",
  ONE_HOST,
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    await stage.write("dns.yaml", service({ name: "dns", ports: [DNS] }));
    const [web, dns] = [await stage.served("default/web"), await stage.served("default/dns")];
    const host = stage.lab.host(web.holder);
    await whoAnswers(stage, web.address);
    await answers(stage.client, { address: dns.address, port: 53, protocol: "udp" });
    const flows = await host.output("cat", ["/proc/net/nf_conntrack"]);
    const explain = (address: string) =>
      host.exec(program("fairlead"), ["explain", address], { timeoutMs: 30_000 });

    // Over TCP nobody is connected any more; over UDP nobody says so.
    const [none, some] = ["0", "[01]"];
    for (const { protocol, of, port, count } of [
      { protocol: "tcp", of: `${web.address}:80/TCP of default/web`, port: 8080, count: none },
      { protocol: "udp", of: `${dns.address}:53/UDP of default/dns`, port: 5353, count: some },
    ]) {
      const flow = new RegExp(` ${protocol} .* src=(198\\.18\\.\\S+) dst=(198\\.18\\.0\\.1) `);
      const [, from = "", to = ""] = flow.exec(flows) ?? [];
      const { code, stdout } = await explain(from);
      assert.equal(code, 0, stdout);
      const [first = ""] = stdout.split("\n");
      assert.equal(first, `${from} is what nginx connects from on this host, for ${of}`);
      for (const member of MEMBERS) {
        assert.match(
          stdout,
          new RegExp(` ${member}:${port} +[1-9]\\d*/\\d+ +active +${count}$`, "m"),
        );
      }
      const target = await explain(to);
      assert.equal(target.code, 0, target.stderr);
      assert.match(
        target.stdout,
        /^198\.18\.0\.1 is what nginx connects to on this host, for every/,
      );
      // Each host has its own: the control host cannot say, and says so.
      const elsewhere = await stage.fairlead("explain", from);
      assert.equal(elsewhere.code, 3, elsewhere.stdout);
      assert.match(elsewhere.stderr, /do: {3}Run this on the host where it was seen/);
    }

    const unused = await explain("198.19.3.4");
    assert.equal(unused.code, 4, unused.stdout);
    assert.match(
      unused.stderr,
      /^error: 198\.19\.3\.4 is a service address that stands for nothing/m,
    );
  },
);

story(
  "members stand in nginx's file where that is asked for: a change of them reaches clients",
  { balancers: 1, agentFlags: () => ["--member-switch=nginx"] },
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    const { address, holder } = await stage.served("default/web");
    const host = stage.lab.host(holder);
    await using probe = await startProbe(stage.client, { address, port: 80 });
    assert.deepEqual(await whoAnswers(stage, address), ["member1", "member2"]);

    await leaveOne(stage);
    assert.deepEqual(await whoAnswers(stage, address), ["member2"]);
    noneFailed(await probe.stop());
    assert.match(await host.readFile(`${RUN_DIR}/nginx/nginx.conf`), /server 10\.77\.0\.22:8080/);
    assert.doesNotMatch(await host.output("nft", ["list", "tables"]), /fairlead_members/);
  },
);

story(
  "a kernel has no NAT any more: its host serves on, with members in nginx's file",
  ONE_HOST,
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    const { address, holder } = await stage.served("default/web");
    const host = stage.lab.host(holder);
    await stage.agent(holder).kill();
    await host.output("nft", ["delete", ...TABLE]);
    await host.output("sh", ["-euc", LOSE_NAT]);
    await stage.agent(holder).start();
    await stage.agent(holder).waitForLine(/members stand in nginx's file/, 10_000);
    await stage.served("default/web");
    assert.deepEqual(await whoAnswers(stage, address), ["member1", "member2"]);
    await leaveOne(stage);
    assert.deepEqual(await whoAnswers(stage, address), ["member2"]);
  },
);

/** Plays the kernel: what nft is to load is refused where it has NAT in it. */
const LOSE_NAT = `
nft=$(command -v nft)
cp "$nft" /run/nft
cat >/run/nft-without-nat <<'END'
#!/bin/sh
case "$*" in *--file*) ;; *) exec /run/nft "$@" ;; esac
rules=$(cat)
case $rules in
  *'type nat'*) echo 'Error: Could not process rule: No such file or directory' >&2 && exit 1 ;;
esac
printf '%s\\n' "$rules" | exec /run/nft "$@"
END
chmod 755 /run/nft-without-nat
mount --bind /run/nft-without-nat "$nft"
`;

async function leaveOne(stage: Stage): Promise<void> {
  await stage.write("web.yaml", service({ name: "web", members: MEMBERS.slice(1) }));
  await stage.until("one member is left", (list) =>
    claimOf(list, "default/web")?.members === 1 ? true : undefined,
  );
  await stage.inSync();
}

async function whoAnswers({ client }: Stage, address: string): Promise<readonly string[]> {
  return Object.keys(await answers(client, { address, port: 80 }));
}
