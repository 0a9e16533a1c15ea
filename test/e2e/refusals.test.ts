// Programs that do not start: wrong flags are told all at once with exit 2, and a host that is not
// fit is told by name what to do, before anything of it is touched.

import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";

import { createLab, type Host, type Lab } from "@fairlead/lab";

import { program } from "./stage/stage.ts";

type Program = Parameters<typeof program>[0];

interface WrongFlags {
  readonly program: Program;
  readonly args: readonly string[];
  /** Each must stand in what it says. */
  readonly told: readonly RegExp[];
}

const WRONG: readonly WrongFlags[] = [
  {
    program: "fairlead-controller",
    args: ["--pool", "nonsense", "--members", "pods", "--advert-interval", "1ms", "--sorce", "x"],
    told: [/--pool/, /--members/, /--advert-interval/, /--sorce/, /--source/, /--insecure/],
  },
  {
    program: "fairlead-controller",
    args: ["--insecure", "--source", "/x", "--kubeconfig", "/y", "--store", "etcd:h:2379"],
    told: [/--kubeconfig/, /--store/, /neither http nor https/],
  },
  {
    program: "fairlead-agent",
    args: ["--name", "A B", "--controller", "nowhere", "--worker-processes", "0", "--lnk=eth0"],
    told: [/--name/, /--controller/, /--worker-processes/, /--lnk/],
  },
  {
    program: "fairlead-agent",
    args: ["--controller", "10.77.0.5:7702"],
    told: [/--insecure/],
  },
  { program: "fairlead", args: ["status", "--output", "xml"], told: [/xml/] },
  { program: "fairlead", args: ["explain"], told: [/subject/] },
  { program: "fairlead", args: ["run", "--pool", "nonsense"], told: [/--pool/, /--source/] },
  { program: "fairlead", args: ["sing"], told: [/sing/] },
];

interface Unfit {
  readonly name: string;
  /** Run on the host before. */
  readonly prepare?: string;
  /** Programs that it lacks. */
  readonly without?: readonly string[];
  /** Words before the program. */
  readonly prefix?: readonly string[];
  readonly flags?: readonly string[];
  readonly told: readonly RegExp[];
}

const UNFIT: readonly Unfit[] = [
  {
    name: "no nginx",
    without: ["nginx"],
    told: [/nginx is not installed/, /apt-get install .*nginx-light/],
  },
  {
    name: "no keepalived",
    without: ["keepalived"],
    told: [/keepalived is not installed/, /apt-get install .*keepalived/],
  },
  {
    name: "no s6",
    without: ["s6-svscan"],
    told: [/s6-svscan is not installed/, /apt-get install .*s6/],
  },
  {
    name: "none of the daemons: one line installs all",
    without: ["nginx", "keepalived", "s6-svscan"],
    told: [/apt-get install (?=.*nginx-light)(?=.*keepalived)(?=.*s6)/],
  },
  {
    name: "no stream module",
    prepare: "mount -t tmpfs tmpfs /usr/lib/nginx/modules",
    told: [/stream module/, /apt-get install libnginx-mod-stream/],
  },
  {
    name: "no capability to raise packets",
    prefix: ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", "--"],
    told: [/capability NET_RAW is missing/, /CAP_NET_RAW/],
  },
  {
    name: "no capability to change the network",
    prefix: ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", "--"],
    told: [/capability NET_ADMIN is missing/, /CAP_NET_ADMIN/],
  },
  {
    name: "a sysctl that is wrong and cannot be written",
    prepare: `echo 0 >/proc/sys/net/ipv4/ip_nonlocal_bind
      mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys`,
    told: [/sysctl net\.ipv4\.ip_nonlocal_bind is 0/, /sysctl -w net\.ipv4\.ip_nonlocal_bind=1/],
  },
  {
    name: "no such link",
    flags: ["--link", "eth7"],
    told: [/eth7/, /eth0/],
  },
];

suite("flags", () => {
  let lab: Lab;
  let host: Host;
  before(async () => {
    lab = await createLab();
    host = await lab.addHost("lb1", { address: "10.77.0.11/24" });
  });
  after(() => lab[Symbol.asyncDispose]());

  for (const { program: name, args, told } of WRONG) {
    test(`${name} ${args.join(" ")} is refused, with all that is wrong`, async () => {
      const { code, stdout, stderr } = await host.exec(program(name), args);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      for (const pattern of told) assert.match(stderr, pattern);
      assert.doesNotMatch(stderr, /\n {4}at /, "no stack");
    });
  }

  for (const name of ["fairlead", "fairlead-agent", "fairlead-controller"] as const) {
    test(`${name} --help says in sentences what it takes`, async () => {
      const { code, stdout, stderr } = await host.exec(program(name), ["--help"]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /\.\n/);
      assert.ok(
        stdout.split("\n").every((line) => line.length <= 120),
        stdout,
      );
    });
  }
});

for (const { name, prepare, without = [], prefix = [], flags = [], told } of UNFIT) {
  test(`an agent on a host with ${name} says how to mend it, and touches nothing`, async () => {
    await using lab = await createLab();
    const host = await lab.addHost("lb1", { address: "10.77.0.11/24" });
    if (prepare !== undefined) await host.output("sh", ["-c", prepare]);
    await hide(host, without);
    const agent = [program("fairlead-agent"), "--insecure", "--controller=10.77.0.5:7702"];
    const words = [...prefix, ...agent, "--state-dir=/run/host/state", ...flags];
    const { code, stderr } = await host.exec("env", words);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /nothing was touched/);
    for (const pattern of told) assert.match(stderr, pattern);
    assert.deepEqual(host.pids(), []);
    const made = await host.output("sh", ["-c", "ls -A /run/host /run"]);
    assert.doesNotMatch(made, /state|fairlead/);
  });
}

test("an agent without a controller says so, and sets a sysctl that it may write", async () => {
  await using lab = await createLab();
  const host = await lab.addHost("lb1", {
    address: "10.77.0.11/24",
    sysctls: { "net.ipv4.ip_nonlocal_bind": "0" },
  });
  const agent = await host.start(program("fairlead-agent"), ["--state-dir=/run/host/state"]);
  await agent.waitForLine(/ no --controller names one: /, 20_000);
  await agent.waitForLine(/ serving /, 20_000);
  const value = await host.output("cat", ["/proc/sys/net/ipv4/ip_nonlocal_bind"]);
  assert.equal(value.trim(), "1");
});

/** Covers programs of the host by what cannot be run; nothing outside of it sees that. */
async function hide(host: Host, programs: readonly string[]): Promise<void> {
  const script = 'for name in "$@"; do mount --bind /dev/null "$(command -v "$name")"; done';
  await host.output("sh", ["-c", script, "sh", ...programs]);
}
