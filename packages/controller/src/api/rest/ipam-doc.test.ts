// The page of the IPAM service has every route and every code of the program, and no others.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { createFakeClock, createLogger } from "@fairlead/runtime";
import { createMemoryIpamMedium, createMemoryIpamStore } from "@fairlead/testkit";

import { IPAM_REASONS, type IpamReason } from "../../ipam/ipam-refusal.ts";
import { randomUuid } from "../../ipam/ipam-model.ts";
import { createIpamService } from "../../ipam/ipam-service.ts";
import { ipamRoutes } from "./ipam-routes.ts";
import { refusalProblem } from "./problem.ts";

const PAGE = join(import.meta.dirname, "../../../../../docs/reference/ipam.md");
const HEAD = "| code | status | what | what to do |\n|---|---|---|---|\n";

test("every code has its row, made from the program's own table", () => {
  const rows = (Object.keys(IPAM_REASONS) as IpamReason[]).map((reason) => {
    const { code, status, what, todo } = refusalProblem({ kind: "refused", reason, why: "" });
    return `| \`${code}\` | ${status} | ${what} | ${todo} |\n`;
  });
  const page = readFileSync(PAGE, "utf8");
  const before = page.slice(0, page.indexOf(HEAD) + HEAD.length);
  const wanted = `${before}${rows.join("")}${OTHERS}`;
  if (process.env["FAIRLEAD_UPDATE_GOLDEN"] === "1") writeFileSync(PAGE, wanted);
  assert.equal(readFileSync(PAGE, "utf8"), wanted);
});

test("every route has its row, and every row its route", async () => {
  await using service = await createIpamService({
    store: createMemoryIpamStore({ medium: createMemoryIpamMedium() }),
    clock: createFakeClock(),
    log: createLogger({ level: "silent", format: "json" }),
    leaseMs: 1,
    graceMs: 1,
  });
  const routes = ipamRoutes({ service, newUuid: randomUuid });
  const page = readFileSync(PAGE, "utf8");
  const told = [...page.matchAll(/^\| `([A-Z]+ \/\S+)` \|/gmu)].map(([, route]) => route);
  assert.equal(told.length, routes.length);
  assert.deepEqual(new Set(told), new Set(routes.map(({ method, path }) => `${method} ${path}`)));
});

const OTHERS = `
Requests themselves are refused with \`BadRequest\` (400), \`UnknownRoute\` (404), \`MethodNotAllowed\` (405), \`BodyTooLarge\` (413), \`NotJson\` (415) and \`ForeignHost\` (421).
With \`StoreUnavailable\` and \`Busy\` (503) nothing was done: send the same again later, with the same uuid.
With \`NotLeading\` (503) nothing was done either: \`detail\` names the controller that leads, which answers; where nobody does, one will within the lease time.
`;
