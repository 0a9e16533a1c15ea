// What --help prints.

import assert from "node:assert";
import { test } from "node:test";
import { formatHelp } from "./setting-help.ts";
import { booleanSetting, choiceSetting, listSetting, stringSetting } from "./setting-types.ts";

const table = {
  source: stringSetting({
    default: undefined,
    placeholder: "DIR",
    help: "Reads manifests from DIR.",
  }),
  pool: listSetting({
    default: [],
    placeholder: "NAME=RANGE[,RANGE][,RANGE]",
    help: "Gives addresses to a pool. Ranges are CIDRs or FIRST-LAST.",
  }),
  output: choiceSetting({
    default: "text",
    choices: ["text", "json"],
    short: "o",
    help: "How results are printed. ".repeat(5).trim(),
  }),
  insecure: booleanSetting({ default: false, help: "Takes agents without TLS." }),
};

const help = formatHelp(
  {
    name: "fairlead-controller",
    summary: "Gives addresses to Services and decides which agent has them. ".repeat(3).trim(),
    notes: ["Exit codes: 0 good, 2 usage."],
  },
  table,
);

test("help is aligned sentences within 100 columns", () => {
  assert.equal(
    help,
    `Gives addresses to Services and decides which agent has them. Gives addresses to Services and
decides which agent has them. Gives addresses to Services and decides which agent has them.

Usage: fairlead-controller [flags]

Flags:
      --source DIR        Reads manifests from DIR.
      --pool NAME=RANGE[,RANGE][,RANGE]
                          Gives addresses to a pool. Ranges are CIDRs or FIRST-LAST. May be given
                          many times.
  -o, --output text|json  How results are printed. How results are printed. How results are printed.
                          How results are printed. How results are printed. Default: text.
      --insecure          Takes agents without TLS.
      --config FILE       Reads settings from this YAML file; its keys are the flags in camel case.
  -h, --help              Prints this text.
  -V, --version           Prints the version.

Every flag --foo-bar can also be given as the variable FAIRLEAD_FOO_BAR or as the key fooBar in the
settings file; the flag counts before the variable, the variable before the file.

Exit codes: 0 good, 2 usage.
`,
  );
  for (const line of help.split("\n")) assert(line.length <= 100, line);
});
