// What somebody mistypes and would never hear of: a command, a flag twice, a variable.

import assert from "node:assert/strict";
import { test } from "node:test";
import { strangeVariables } from "./known-variables.ts";
import { readSettings } from "./settings.ts";
import { booleanSetting, listSetting, stringSetting } from "./setting-types.ts";
import { warnOfStrangeVariables } from "./warn-strange.ts";

const TABLE = {
  source: stringSetting({ default: undefined, help: "A folder.", short: "s" }),
  insecure: booleanSetting({ default: false, help: "Bare." }),
  pool: listSetting({ default: [], help: "Many." }),
};

function errorsOf(...argv: readonly string[]): readonly string[] {
  const read = readSettings({ table: TABLE, argv, env: {}, commands: ["stop"] });
  return read.kind === "usage" ? read.errors : [];
}

const twice = (times: number, shown: string): string =>
  `it is given ${times} times and may be given once: ${shown}; give it once [ConflictingSettings]`;
const cases = [
  {
    argv: ["stap"],
    says: ['argument "stap": no arguments are taken; did you mean stop? [UnexpectedArgument]'],
  },
  {
    argv: ["--source=x", "stop"],
    says: [
      'argument "stop": no arguments are taken; write stop first, before all flags ' +
        "[UnexpectedArgument]",
    ],
  },
  { argv: ["--source", "mf", "--source", "mf2"], says: [`--source: ${twice(2, '"mf", "mf2"')}`] },
  { argv: ["-s=a", "--source=a"], says: [`--source: ${twice(2, '"a", "a"')}`] },
  { argv: ["--insecure", "--insecure"], says: [`--insecure: ${twice(2, '"true", "true"')}`] },
  { argv: ["--config=/a", "--config=/b"], says: [/^--config: it is given 2 times/, /"\/b"/] },
  { argv: ["--pool=a", "--pool=a", "--source=x"], says: [] },
] as const;

for (const { argv, says } of cases) {
  test(`mistyped: ${argv.join(" ")}`, () => {
    const errors = errorsOf(...argv);
    assert.equal(errors.length, says.length, errors.join("\n"));
    for (const [index, said] of says.entries()) {
      const error = errors[index] ?? "";
      if (typeof said === "string") assert.equal(error, said);
      else assert.match(error, said);
    }
  });
}

test("a variable that no program reads is warned of, with the one that was meant", () => {
  const env = {
    FAIRLEAD_ADVERT_INTERVL: "50ms",
    FAIRLEAD_COLOUR: "x",
    FAIRLEAD_WITHDRAW: "true",
    FAIRLEAD_SERVICE_HOST: "10.96.0.1",
    FAIRLEAD_CONTROLLER_PORT_7702_TCP_ADDR: "10.96.0.1",
    FAIRLEAD_TEST_ASSETS: "/x",
    FAIRLEADX: "1",
  };
  const names = strangeVariables(env).map(({ variable }) => variable);
  assert.deepEqual(names, ["FAIRLEAD_ADVERT_INTERVL", "FAIRLEAD_COLOUR"]);
  const said: string[] = [];
  warnOfStrangeVariables(
    { warn: (fields, message) => void said.push(`${JSON.stringify(fields)} ${message}`) },
    env,
  );
  assert.deepEqual(said, [
    '{"variable":"FAIRLEAD_ADVERT_INTERVL"} no program reads this variable; ' +
      "did you mean FAIRLEAD_ADVERT_INTERVAL?",
    '{"variable":"FAIRLEAD_COLOUR"} no program reads this variable; see --help for all',
  ]);
});
