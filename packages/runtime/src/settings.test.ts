// Settings from flags, variables and a file, and what a mistaken operator reads.

import assert from "node:assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  booleanSetting,
  choiceSetting,
  durationSetting,
  hostPortSetting,
  integerSetting,
  listSetting,
  stringSetting,
} from "./setting-types.ts";
import { readSettings, type SettingsOf, type SettingsResult } from "./settings.ts";

const table = {
  name: stringSetting({ default: undefined, help: "The agent's name." }),
  stateDir: stringSetting({ default: "/var/lib/fairlead", help: "Where state is kept." }),
  insecure: booleanSetting({ default: false, help: "Takes agents without TLS." }),
  workers: integerSetting({ default: 2, min: 1, max: 64, help: "Workers of nginx.", short: "w" }),
  holdOff: durationSetting({ default: 50, maxMs: 60_000, help: "How long to collect changes." }),
  members: choiceSetting({ default: "nodes", choices: ["endpoints", "nodes"], help: "Members." }),
  listenRest: hostPortSetting({
    default: { host: "127.0.0.1", port: 7701 },
    hostDefault: "127.0.0.1",
    help: "Where REST is served.",
  }),
  pool: listSetting({
    default: [],
    help: "A pool.",
    placeholder: "NAME=RANGE[,RANGE]",
    check: (text) => (text.includes("=") ? undefined : "NAME=RANGE[,RANGE]"),
  }),
};

type Result = SettingsResult<typeof table>;
type Settings = SettingsOf<typeof table>;

const folder = mkdtempSync(join(tmpdir(), "fairlead-settings-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function writeFile(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function read(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Result {
  return readSettings({ table, argv, env, extraKeys: ["pools"] });
}

function settingsOf(result: Result): Settings {
  assert(result.kind === "ok", JSON.stringify(result));
  return result.settings;
}

function errorsOf(result: Result): readonly string[] {
  assert(result.kind === "usage", JSON.stringify(result));
  return result.errors;
}

test("without anything the defaults hold", () => {
  assert.deepEqual(settingsOf(read([])), {
    name: undefined,
    stateDir: "/var/lib/fairlead",
    insecure: false,
    workers: 2,
    holdOff: 50,
    members: "nodes",
    listenRest: { host: "127.0.0.1", port: 7701 },
    pool: [],
  });
});

test("flags take their value after a space or an equals sign", () => {
  const settings = settingsOf(
    read(["--name", "lb-1", "--state-dir=/tmp/a=b", "--insecure", "-w", "4", "--hold-off=1s"]),
  );
  assert.equal(settings.name, "lb-1");
  assert.equal(settings.stateDir, "/tmp/a=b");
  assert.equal(settings.insecure, true);
  assert.equal(settings.workers, 4);
  assert.equal(settings.holdOff, 1_000);
});

test("a boolean is bare or says true or false, and takes no word after it", () => {
  assert.equal(settingsOf(read(["--insecure=true"])).insecure, true);
  assert.equal(settingsOf(read(["--insecure=false"])).insecure, false);
  assert.match(errorsOf(read(["--insecure", "false"])).join(), /argument "false"/u);
});

test("a repeatable flag collects", () => {
  const settings = settingsOf(read(["--pool=a=192.0.2.1", "--pool", "b=192.0.2.2,192.0.2.3"]));
  assert.deepEqual(settings.pool, ["a=192.0.2.1", "b=192.0.2.2,192.0.2.3"]);
});

test("flag before variable before file before default", () => {
  const path = writeFile(
    "order.yaml",
    "name: file\nstateDir: /file\nworkers: 3\npool: [f=192.0.2.1]\ninsecure: true\n",
  );
  const env = { FAIRLEAD_NAME: "variable", FAIRLEAD_STATE_DIR: "/variable", FAIRLEAD_CONFIG: path };
  const settings = settingsOf(read(["--name=flag"], env));
  assert.equal(settings.name, "flag");
  assert.equal(settings.stateDir, "/variable");
  assert.equal(settings.workers, 3);
  assert.deepEqual(settings.pool, ["f=192.0.2.1"]);
  assert.equal(settings.insecure, true);
});

test("a variable of a list holds several values, an empty one none at all", () => {
  const env = {
    FAIRLEAD_POOL: " a=192.0.2.1  b=192.0.2.2\n",
    FAIRLEAD_NAME: "",
    FAIRLEAD_OTHER: "x",
  };
  const settings = settingsOf(read([], env));
  assert.deepEqual(settings.pool, ["a=192.0.2.1", "b=192.0.2.2"]);
  assert.equal(settings.name, undefined);
});

test("what the table does not cover is handed on from the file", () => {
  const path = writeFile(
    "pools.yaml",
    "pools:\n  - name: default\n    addresses: [192.0.2.0/24]\n",
  );
  const result = read([`--config=${path}`]);
  assert(result.kind === "ok");
  assert.deepEqual(result.configFile, {
    path,
    rest: { pools: [{ name: "default", addresses: ["192.0.2.0/24"] }] },
  });
});

test("a file that another command takes too may have its keys, and no others", () => {
  const path = writeFile("shared.yaml", "name: shared\ncontroller: [192.0.2.1:7702]\n");
  const options = { table, argv: [`--config=${path}`], env: {} };
  const shared = readSettings({ ...options, otherKeys: ["controller"] });
  assert.equal(settingsOf(shared).name, "shared");
  const [strange = ""] = errorsOf(readSettings({ ...options, otherKeys: ["controllers"] }));
  assert.match(strange, /^key "controller" in .*UnknownKey/);
});

test("every mistake is reported at once, each with what, why, what to do and a code", () => {
  const path = writeFile("wrong.yaml", "stateDirs: /x\nworkers: [1, {a: 1}]\nholdOff: 5\n");
  const argv = ["--pol=a=1", "--members", "pods", "--pool=x", "--name", "--config", path, "extra"];
  assert.deepEqual(errorsOf(read(argv, { FAIRLEAD_LISTEN_REST: "here\n" })), [
    'flag "--pol": there is no such flag; did you mean --pool? [UnknownFlag]',
    "--name: it needs a value and none was given; write --name=TEXT [MissingValue]",
    'argument "extra": no arguments are taken; leave it out, or write it behind the flag that it ' +
      "belongs to, as --flag=VALUE [UnexpectedArgument]",
    `key "stateDirs" in "${path}": there is no such setting; did you mean stateDir? [UnknownKey]`,
    `key workers in "${path}": "[1,{"a":1}]" is neither a value nor a list of values; ` +
      "write it as the flag would take it, or leave it out [BadValue]",
    `key holdOff in "${path}": "5" cannot be used; give a number with a unit, such as 500ms, ` +
      "10s, 1m30s, 2h or 7d, at most 1m [BadValue]",
    '--members: "pods" cannot be used; give one of endpoints, nodes [BadValue]',
    'variable FAIRLEAD_LISTEN_REST: "here\\n" cannot be used; give HOST:PORT, [IPV6]:PORT, :PORT ' +
      "or PORT [BadValue]",
    '--pool: "x" cannot be used; give NAME=RANGE[,RANGE] [BadValue]',
  ]);
});

const bomb = [
  "a: &a [x, x, x, x, x, x, x, x, x]",
  ...["b", "c", "d", "e", "f", "g", "h"].map((key, index) => {
    const before = "abcdefgh"[index] ?? "a";
    return `${key}: &${key} [${Array.from({ length: 9 }, () => `*${before}`).join(", ")}]`;
  }),
].join("\n");

const files = [
  { name: "a file that is no YAML", text: "a: [1\nb: }\n", want: /no YAML/u },
  { name: "a YAML bomb", text: bomb, want: /alias/iu },
  { name: "the same key twice", text: "name: a\nname: b\n", want: /unique/u },
  { name: "a list instead of keys", text: "- a\n", want: /must hold keys/u },
  {
    name: "a file of two megabytes",
    text: `# ${"x".repeat(2_000_000)}`,
    want: /more than 1048576/u,
  },
  { name: "brackets without an end", text: "[".repeat(200_000), want: /BadConfigFile/u },
  { name: "two documents", text: "name: a\n---\nname: b\n", want: /BadConfigFile/u },
] as const;

for (const [index, c] of files.entries()) {
  test(`${c.name} is refused in one line`, () => {
    const errors = errorsOf(read(["--config", writeFile(`bad-${index}.yaml`, c.text)]));
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? "", c.want);
    assert(!(errors[0] ?? "").includes("\n"));
  });
}

test("a file that is not there is refused, an empty one is not", () => {
  assert.match(errorsOf(read(["--config=/nowhere/x.yaml"])).join(), /does not exist/u);
  assert.equal(settingsOf(read(["--config", writeFile("empty.yaml", "")])).workers, 2);
});

test("names of JavaScript's own objects are unknown like others", () => {
  const path = writeFile("proto.yaml", "__proto__: {workers: 9}\nconstructor: 1\n");
  assert.equal(errorsOf(read([`--config=${path}`])).length, 2);
  assert.equal(errorsOf(read(["--constructor", "--__proto__=1", "--to-string"])).length, 3);
});

test("help and version are found wherever they stand, but not behind the end of flags", () => {
  assert.equal(read(["--name", "x", "--help", "--nonsense"]).kind, "help");
  assert.equal(read(["-h"]).kind, "help");
  assert.equal(read(["--", "--help"]).kind, "usage");
  assert.equal(read(["--version", "--nonsense"]).kind, "version");
  assert.equal(read(["-V", "-h"]).kind, "help");
});

test("positionals are counted, and everything behind two dashes is one", () => {
  const options = { table, env: {}, positionalsMax: 2 };
  const result = readSettings({ ...options, argv: ["shop/web", "--insecure", "--", "-w"] });
  assert(result.kind === "ok");
  assert.deepEqual(result.positionals, ["shop/web", "-w"]);
  assert.equal(readSettings({ ...options, argv: ["a", "b", "c"] }).kind, "usage");
});

const numbers = ["0", "65", "-1", "1.5", "1e1", "", "0x4", " 4", "four", "9".repeat(40)] as const;

for (const text of numbers) {
  test(`${JSON.stringify(text)} is no number of workers`, () => {
    assert.match(errorsOf(read([`--workers=${text}`])).join(), /a whole number from 1 to 64/u);
  });
}

test("settings that need each other are checked along with the single ones", () => {
  const complaint = {
    what: "--workers",
    why: "two need a name",
    todo: "give --name",
    code: "MissingSetting",
  } as const;
  const result = readSettings({
    table,
    env: {},
    argv: ["--nonsense"],
    check: ({ settings }) => (settings.workers === 2 && !settings.name ? [complaint] : []),
  });
  const errors = errorsOf(result);
  assert.equal(errors.length, 2);
  assert.equal(errors[1], "--workers: two need a name; give --name [MissingSetting]");
});
