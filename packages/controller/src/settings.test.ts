// The controller's flags: what they mean together, and what a mistaken operator reads.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { rangeText } from "@fairlead/model";
import { readSettings } from "@fairlead/runtime";

import {
  CONTROLLER_EXTRA_KEYS,
  CONTROLLER_SETTINGS,
  type ControllerSettings,
  checkControllerFlags,
  controllerSettings,
} from "./settings.ts";

const NEEDED = ["--source", "/manifests", "--insecure"] as const;

function read(
  ...argv: readonly string[]
): ReturnType<typeof readSettings<typeof CONTROLLER_SETTINGS>> {
  return readSettings({
    table: CONTROLLER_SETTINGS,
    argv,
    env: {},
    extraKeys: CONTROLLER_EXTRA_KEYS,
    check: (given) => checkControllerFlags(given, {}),
  });
}

function settingsOf(...argv: readonly string[]): ControllerSettings {
  const result = read(...argv);
  assert.ok(result.kind === "ok", JSON.stringify(result));
  return controllerSettings(result.settings, result.configFile?.rest ?? {});
}

function errorsOf(...argv: readonly string[]): readonly string[] {
  const result = read(...argv);
  assert.ok(result.kind === "usage");
  return result.errors;
}

suite("the settings", () => {
  test("have the ports and paths of the contract", () => {
    const settings = settingsOf(...NEEDED);
    assert.deepEqual(settings.store, { kind: "sqlite", path: "/var/lib/fairlead/store.db" });
    assert.equal(settings.leaderLeaseMs, 15_000);
    assert.deepEqual(settings.listenAgents, { host: "", port: 7702 });
    assert.deepEqual(settings.listenMetrics, { host: "", port: 7704 });
    assert.deepEqual(settings.listenAdmin, { host: "127.0.0.1", port: 7705 });
    assert.deepEqual(settings.rest, {
      listen: { host: "127.0.0.1", port: 7701 },
      ipamPath: "/var/lib/fairlead/store.ipam.db",
      ipamLeaseMs: 3_600_000,
      ipamGraceMs: 86_400_000,
    });
    assert.equal(settings.advertIntervalMs, 100);
    assert.equal(settings.defaultClass, true);
    assert.equal(settings.members, "endpoints");
    assert.deepEqual(settings.source, { kind: "folder", folder: "/manifests" });
  });

  test("send traffic to nodes when a kubeconfig says that we stand outside of the cluster", () => {
    const outside = ["--kubeconfig", "/k", "--context", "lab", "--insecure"];
    const settings = settingsOf(...outside);
    assert.deepEqual(settings.source, { kind: "cluster", kubeconfig: "/k", context: "lab" });
    assert.equal(settings.members, "nodes");
    assert.equal(settingsOf(...outside, "--members", "endpoints").members, "endpoints");
  });

  test("need nothing named inside of a cluster, and reach pods there", () => {
    const [argv, env] = [["--insecure"], { KUBERNETES_SERVICE_HOST: "10.96.0.1" }];
    const result = readSettings({
      table: CONTROLLER_SETTINGS,
      argv,
      env,
      check: (given) => checkControllerFlags(given, env),
    });
    assert.ok(result.kind === "ok");
    const { source, members, store } = controllerSettings(result.settings, {});
    assert.deepEqual(source, { kind: "cluster", kubeconfig: undefined, context: undefined });
    assert.equal(members, "endpoints");
    assert.deepEqual(store, { kind: "kubernetes", namespace: "fairlead-system" });
  });

  test("keep the store below the state directory unless it is named", () => {
    const sqlite = (path: string): unknown => ({ kind: "sqlite", path });
    assert.deepEqual(settingsOf(...NEEDED, "--state-dir", "/x").store, sqlite("/x/store.db"));
    const named = settingsOf(...NEEDED, "--state-dir=/x", "--store", "sqlite:/y/z.db");
    assert.deepEqual(named.store, sqlite("/y/z.db"));
    const outside = ["--kubeconfig", "/k", "--insecure"];
    assert.deepEqual(settingsOf(...outside).store, sqlite("/var/lib/fairlead/store.db"));
    const asked = settingsOf(...outside, "--store", "kubernetes", "--leader-lease", "4s");
    assert.deepEqual(asked.store, { kind: "kubernetes", namespace: "fairlead-system" });
    assert.equal(asked.leaderLeaseMs, 4000);
  });

  test("keep leases in an etcd, below a path and by files where they are named", () => {
    const plain = settingsOf(...NEEDED, "--store", "etcd:http://a,http://b:1");
    const urls = ["http://a:2379", "http://b:1"];
    assert.deepEqual(plain.store, { kind: "etcd", access: { urls }, base: "/fairlead" });
    const argv = ["--store", "etcd:https://lb:pw@a", "--etcd-base", "/x/y"];
    const files = ["--etcd-ca-file=/ca", "--etcd-cert-file=/crt", "--etcd-key-file=/key"];
    assert.deepEqual(settingsOf(...NEEDED, ...argv, ...files).store, {
      kind: "etcd",
      access: { urls: ["https://a:2379"], user: { name: "lb", password: "pw" } },
      base: "/x/y",
      caFile: "/ca",
      certFile: "/crt",
      keyFile: "/key",
    });
  });

  test("keep no leases in a cluster that is not known", () => {
    const [error = ""] = errorsOf(...NEEDED, "--store", "kubernetes");
    assert.match(error, /--store: leases are kept in the cluster that Services come from/);
  });

  test("listen for the command line on the loopback also when only a port is given", () => {
    const { listenAdmin } = settingsOf(...NEEDED, "--listen-admin", "9000");
    assert.deepEqual(listenAdmin, { host: "127.0.0.1", port: 9000 });
  });

  test("serve REST where several controllers share an etcd only when they are asked to", () => {
    const etcd = [...NEEDED, "--store", "etcd:http://127.0.0.1:2379"];
    assert.equal(settingsOf(...etcd).rest, undefined);
    assert.deepEqual(settingsOf(...etcd, "--listen-rest=7701", "--ipam-lease=2h").rest, {
      listen: { host: "127.0.0.1", port: 7701 },
      ipamPath: undefined,
      ipamLeaseMs: 7_200_000,
      ipamGraceMs: 86_400_000,
    });
    assert.equal(settingsOf("--kubeconfig=/k", "--insecure", "--store=kubernetes").rest, undefined);
  });

  test("serve REST on the loopback and nowhere else", () => {
    for (const place of ["[::1]:80", "localhost:80", "127.0.0.2:80", "7799"]) {
      assert.ok(settingsOf(...NEEDED, "--listen-rest", place));
    }
    for (const place of ["0.0.0.0:7701", "192.0.2.1:7701", "[::]:7701"]) {
      assert.deepEqual(errorsOf(...NEEDED, "--listen-rest", place), [
        `--listen-rest: others reach ${place}, and REST asks nobody's name yet; ` +
          "listen on 127.0.0.1 or [::1] [NotBuiltYet]",
      ]);
    }
  });

  test("take several pools", () => {
    const { pools } = settingsOf(
      ...NEEDED,
      "--pool",
      "a=192.0.2.1-192.0.2.9",
      "--pool=b=198.51.100.0/24,2001:db8::/120",
    );
    assert.deepEqual(
      pools.map(({ name, ranges }) => `${name} ${ranges.map(rangeText).join()}`),
      ["a 192.0.2.1-192.0.2.9", "b 198.51.100.0-198.51.100.255,2001:db8::-2001:db8::ff"],
    );
  });
});

suite("a mistake is told in four parts", () => {
  const cases: readonly {
    readonly name: string;
    readonly argv: readonly string[];
    readonly says: readonly RegExp[];
  }[] = [
    {
      name: "nothing at all: what is missing is said at once",
      argv: [],
      says: [
        /^--source: nothing says .*; name a folder .* or a cluster/,
        /^--insecure: .*\[MissingSetting\]$/,
      ],
    },
    {
      name: "a folder and a cluster",
      argv: [...NEEDED, "--kubeconfig", "/k"],
      says: [/^--source and --kubeconfig: .*two are named; leave one of them away/],
    },
    {
      name: "a context of nothing",
      argv: [...NEEDED, "--context", "lab"],
      says: [/^--context: .*none is given; name the kubeconfig/],
    },
    {
      name: "an etcd that cannot be reached so, and without its user's password",
      argv: [...NEEDED, "--store", "etcd:ftp://lb:s3cr3t@h:2379"],
      says: [/^--store: "etcd:ftp:\/\/\*\*\*@h:2379" cannot be used; .*neither http nor https/],
    },
    {
      name: "files for an etcd without TLS",
      argv: [...NEEDED, "--store", "etcd:http://h:2379", "--etcd-ca-file", "/ca.crt"],
      says: [/^--etcd-ca-file, .*the store names none/],
    },
    {
      name: "a certificate without its key",
      argv: [...NEEDED, "--store", "etcd:https://h:2379", "--etcd-cert-file", "/lb.crt"],
      says: [/^--etcd-cert-file and --etcd-key-file: .*one of them is missing/],
    },
    {
      name: "a base path that is none",
      argv: [...NEEDED, "--etcd-base", "fairlead/"],
      says: [/^--etcd-base: .*a path such as \/fairlead/],
    },
    {
      name: "times of an IPAM service that is not served",
      argv: [...NEEDED, "--store", "etcd:http://h:2379", "--ipam-lease=2h"],
      says: [/^--ipam-lease: leases are kept in an etcd, .*; leave it away, or add --listen-rest/],
    },
    {
      name: "times of an IPAM service in a cluster that is not served",
      argv: [
        "--kubeconfig=/k",
        "--insecure",
        "--store=kubernetes",
        "--ipam-lease=2h",
        "--ipam-grace=1h",
      ],
      says: [
        /^--ipam-lease and --ipam-grace: leases are kept in the cluster, .*; leave them away, or add --listen-rest/,
      ],
    },
    {
      name: "a store of no kind",
      argv: [...NEEDED, "--store", "/var/lib/x.db"],
      says: [/^--store: .*give sqlite:FILE, such as sqlite:\//],
    },
    {
      name: "a store without a file",
      argv: [...NEEDED, "--store", "sqlite:"],
      says: [/^--store: /],
    },
    {
      name: "adverts too fast",
      argv: [...NEEDED, "--advert-interval", "29ms"],
      says: [/^--advert-interval: "29ms" cannot be used; .*at least 30ms, at most 10s/],
    },
    {
      name: "a pool without a range",
      argv: [...NEEDED, "--pool", "lan"],
      says: [/^--pool "lan": .*expected NAME=RANGE/],
    },
    {
      name: "two pools of one name and one with a reversed range, all at once",
      argv: [...NEEDED, "--pool=a=192.0.2.1", "--pool=a=192.0.2.2", "--pool=b=192.0.2.9-192.0.2.1"],
      says: [/^--pool "a=192.0.2.2": /, /^--pool "b=.*: the first address is above the last/],
    },
    {
      name: "a control character in a value",
      argv: [...NEEDED, "--pool", "a=\u001b[31m"],
      says: [/^--pool "a=\\u001b\[31m": /],
    },
    {
      name: "mistakes of flags and between flags together",
      argv: ["--listen-agents", "x:y", "--nonsense"],
      says: [/--nonsense/, /^--listen-agents: /, /^--source: /, /^--insecure: /],
    },
  ];
  for (const { name, argv, says } of cases) {
    test(name, () => {
      const errors = errorsOf(...argv);
      assert.equal(errors.length, says.length, errors.join("\n"));
      for (const [index, pattern] of says.entries()) assert.match(errors[index] ?? "", pattern);
      for (const error of errors) assert.match(error, /^.+: .+; .+ \[[A-Za-z]+\]$/u);
    });
  }
});
