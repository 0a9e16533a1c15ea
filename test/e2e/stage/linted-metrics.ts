// A program's page of metrics, as Prometheus would scrape it on the program's own host, and what
// Prometheus' own checker says of it. Given the host. A page that is bad is told with why.

import assert from "node:assert/strict";

import type { Host } from "@fairlead/lab";

import { type Family, parseMetricsPage, type Sample } from "./metrics-page.ts";

/** What a server on the host answered. */
export interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Fetches a URL from within the host. */
export async function fetchFrom(host: Host, url: string): Promise<Page> {
  const script = `
    const answer = await fetch(${JSON.stringify(url)});
    const { status } = answer;
    const type = answer.headers.get("content-type");
    process.stdout.write(JSON.stringify({ status, type, text: await answer.text() }));
  `;
  const text = await host.output(process.execPath, ["--input-type=module", "-e", script]);
  return JSON.parse(text) as Page;
}

/** The samples of a family on the page that is served at this port of the host. */
export async function readSamples(
  host: Host,
  port: number,
  name: string,
): Promise<readonly Sample[]> {
  const { text } = await fetchFrom(host, `http://127.0.0.1:${port}/metrics`);
  const family = parseMetricsPage(text).get(name);
  assert.ok(family !== undefined, `there is no ${name}`);
  return family.samples;
}

/** The families of the page that is served at this port of the host, which has to be good. */
export async function lintedMetrics(
  host: Host,
  port: number,
): Promise<ReadonlyMap<string, Family>> {
  const page = await fetchFrom(host, `http://127.0.0.1:${port}/metrics`);
  assert.match(page.type, /^text\/plain; version=0\.0\.4/);
  const families = parseMetricsPage(page.text);
  checkOurs(families);
  await checkByPromtool(host, page.text);
  return families;
}

/** Prometheus' own checker, which finds bad names as well; it must find what is bad. */
async function checkByPromtool(host: Host, page: string): Promise<void> {
  const check = (input: string): ReturnType<Host["exec"]> =>
    host.exec("promtool", ["check", "metrics"], { input });
  const { code, stdout, stderr } = await check(page);
  assert.deepEqual([code, `${stdout}${stderr}`], [0, ""]);
  const bad = await check(`${page}# TYPE fairlead_bad counter\nfairlead_bad 1\n`);
  assert.notEqual(bad.code, 0);
  assert.match(bad.stderr, /^fairlead_bad /m);
}

function checkOurs(families: ReadonlyMap<string, Family>): void {
  const names = [...families.keys()];
  const ours = names.filter((name) => name.startsWith("fairlead_"));
  assert.ok(ours.length >= 5, names.join(" "));
  const foreign = names.filter((name) => !/^(fairlead|process|nodejs)_/.test(name));
  assert.deepEqual(foreign, [], "names begin with fairlead_");
}
