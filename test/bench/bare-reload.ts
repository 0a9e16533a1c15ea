// The floor of a member change, run on a host of the lab: nginx alone tests and reloads a file, and
// a client of one socket of all generations sees the new one. Rounds begin at given times, so that
// several hosts reload at once. Prints the milliseconds of each.

import { execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

/** The times are in ms; the last is that from one round to the next. */
const [config = "", rounds = "1", beginMs = "0", everyMs = "500"] = process.argv.slice(2);
const NGINX = "/usr/sbin/nginx";
const socket = `${dirname(config)}/bare.sock`;
const template = readFileSync(config, "utf8").replace(/unix:[^;]+/, `unix:${socket}`);
const generation = /return ([0-9a-f]{16});/.exec(template)?.[1] ?? "";
const flags = ["-p", dirname(config), "-c", config, "-e", "stderr"];

writeFileSync(config, template);
const master = spawn(NGINX, flags, { stdio: "ignore" });
await answers(generation);
for (let round = 0; round < Number(rounds); round += 1) {
  const next = String(round).padStart(16, "0");
  await wait(Number(beginMs) + round * Number(everyMs) - Number(process.hrtime.bigint()) / 1e6);
  const begun = process.hrtime.bigint();
  writeFileSync(config, template.replaceAll(generation, next));
  execFileSync(NGINX, ["-t", ...flags], { stdio: "ignore" });
  master.kill("SIGHUP");
  await answers(next);
  process.stdout.write(`${Number(process.hrtime.bigint() - begun) / 1e6}\n`);
}
master.kill("SIGTERM");

async function answers(wanted: string): Promise<void> {
  while ((await ask()) !== wanted) await wait(5);
}

function ask(): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const client = connect(socket);
    client.on("data", (bytes) => (text += bytes.toString()));
    client.on("close", () => resolve(text));
    client.on("error", () => resolve(""));
  });
}
