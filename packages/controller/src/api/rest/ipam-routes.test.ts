// The IPAM service over REST on a real socket, as a client of it would use it, on a real file.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";

import { createFakeClock, createLogger, formatHostPort } from "@fairlead/runtime";

import { randomUuid } from "../../ipam/ipam-model.ts";
import { createIpamService } from "../../ipam/ipam-service.ts";
import { createSqliteIpamStore } from "../../store/sqlite/sqlite-ipam-store.ts";
import { createAnswerCheck } from "./answer-check.ts";
import { ipamRoutes } from "./ipam-routes.ts";
import { describeRest } from "./openapi.ts";
import { createRestServer } from "./rest-server.ts";

const LAB = "c0000000-0000-4000-8000-000000000001";
const BLOCK = "b0000000-0000-4000-8000-000000000001";
const ME = "d0000000-0000-4000-8000-000000000001";
const OTHER = "d0000000-0000-4000-8000-000000000002";
/** Every answer of every test is held against the description of REST. */
const DESCRIBED = createAnswerCheck(describeRest());
const BEGIN = "2026-01-01T00:00:00.000Z";

test("a client's whole life: register, dump, renew, release", async () => {
  await using stage = await makeStage();
  const wish = { class: "lab", uuid: ME, owner: "cluster-a" };
  const shown = {
    uuid: ME,
    class: LAB,
    address: "192.0.2.0",
    owner: "cluster-a",
    created: BEGIN,
    renewed: BEGIN,
    expires: "2026-01-01T01:00:00.000Z",
    takenBack: "2026-01-02T01:00:00.000Z",
  };
  assert.deepEqual(await stage.post("/registrations", wish), [201, shown]);
  assert.deepEqual(await stage.post("/registrations", wish), [200, shown], "a retry");
  const other = await stage.post("/registrations", { class: LAB, address: "192.0.2.3" });
  assert.deepEqual([other[0], other[1]["address"]], [201, "192.0.2.3"]);
  const dumped = { addresses: { [ME]: "192.0.2.0", [String(other[1]["uuid"])]: "192.0.2.3" } };
  assert.deepEqual(await stage.get("/addresses"), [200, dumped]);
  assert.deepEqual(await stage.get("/addresses?class=lab"), [200, dumped]);
  assert.deepEqual(await stage.get("/addresses?class=bare"), [200, { addresses: {} }]);
  assert.deepEqual(await stage.get(`/registrations/${ME}`), [200, shown]);
  const found = { registrations: [shown] };
  assert.deepEqual(await stage.get("/registrations?address=192.0.2.0"), [200, found]);

  await stage.advance(60_000);
  const renewed = { ...shown, renewed: "2026-01-01T00:01:00.000Z" };
  const later = {
    ...renewed,
    expires: "2026-01-01T01:01:00.000Z",
    takenBack: "2026-01-02T01:01:00.000Z",
  };
  assert.deepEqual(await stage.post(`/registrations/${ME}/renew`), [200, later]);
  const many = await stage.post("/renew", { uuids: [ME.toUpperCase(), OTHER] });
  assert.deepEqual(many, [200, { renewed: [later], unknown: [OTHER] }]);

  assert.deepEqual(await stage.delete(`/registrations/${ME}`), [204, {}]);
  const [status, problem] = await stage.delete(`/registrations/${ME}`);
  assert.deepEqual([status, problem["code"]], [404, "UnknownRegistration"]);
  const [back, mine] = await stage.post("/registrations", wish);
  assert.deepEqual([back, mine["address"]], [201, "192.0.2.0"]);
});

test("an operator's work: classes and netblocks", async () => {
  await using stage = await makeStage();
  const times = { created: BEGIN, modified: BEGIN };
  const lab = { uuid: LAB, name: "lab", ...times };
  const [, { classes }] = await stage.get("/classes");
  assert.deepEqual((classes as { readonly name: string }[]).map(({ name }) => name).toSorted(), [
    "bare",
    "lab",
  ]);
  assert.deepEqual(await stage.get("/classes/lab"), [200, lab]);
  assert.deepEqual(await stage.post("/classes", { uuid: LAB, name: "lab" }), [200, lab]);
  const again = { uuid: BLOCK, class: "lab", range: "192.0.2.0/30" };
  assert.equal((await stage.post("/netblocks", again))[0], 200);
  assert.deepEqual(await stage.put(`/classes/${LAB}`, { name: "labs" }), [
    200,
    { ...lab, name: "labs" },
  ]);
  await stage.post("/registrations", { class: "labs", uuid: ME });
  const block = {
    uuid: BLOCK,
    class: LAB,
    range: "192.0.2.0-192.0.2.3",
    size: "4",
    held: 1,
    ...times,
  };
  assert.deepEqual(await stage.get("/netblocks?class=labs"), [200, { netblocks: [block] }]);
  const wide = { class: LAB, range: "2001:db8::/64" };
  const [status, made] = await stage.post("/netblocks", wide);
  assert.deepEqual([status, made["size"], made["held"]], [201, "18446744073709551616", 0]);
  const path = `/netblocks/${String(made["uuid"])}`;
  assert.deepEqual(await stage.get(path), [200, made]);
  assert.equal((await stage.put(path, { range: "2001:db8::/65" }))[0], 200);
  assert.deepEqual(await stage.delete(path), [204, {}]);
  assert.equal((await stage.get(path))[0], 404);
  assert.deepEqual(await stage.delete("/classes/bare"), [204, {}]);
  assert.equal((await stage.get("/classes/bare"))[0], 404);
});

suite("a refusal has four parts, and names the holder", () => {
  test("whose the address is", async () => {
    await using stage = await makeStage();
    await stage.post("/registrations", { class: "lab", uuid: ME, owner: "cluster-a" });
    const wish = { class: "lab", uuid: OTHER, address: "192.0.2.0" };
    assert.deepEqual(await stage.post("/registrations", wish), [
      409,
      {
        type: "urn:fairlead:problem:AddressTaken",
        title: "the address is held by somebody else",
        status: 409,
        detail: `registration ${ME} ("cluster-a") holds 192.0.2.0 since ${BEGIN}`,
        todo: "wish for another address or for none, or have the holder release it",
        code: "AddressTaken",
        holder: { uuid: ME, address: "192.0.2.0", owner: "cluster-a" },
      },
    ]);
  });

  const bad: readonly {
    readonly name: string;
    readonly method: "POST" | "PUT" | "GET" | "DELETE";
    readonly path: string;
    readonly body?: unknown;
    readonly detail: RegExp;
  }[] = [
    {
      name: "a field that nobody knows",
      method: "POST",
      path: "/registrations",
      body: { class: "lab", adress: "192.0.2.1" },
      detail: /^unknown field "adress"$/,
    },
    {
      name: "an address that is none",
      method: "POST",
      path: "/registrations",
      body: { class: "lab", address: "192.0.2.01" },
      detail: /^address: "192\.0\.2\.01" is no address$/,
    },
    {
      name: "an address of another family than the one asked for",
      method: "POST",
      path: "/registrations",
      body: { class: "lab", address: "192.0.2.1", family: "ipv6" },
      detail: /^address and family ask for different things$/,
    },
    {
      name: "a uuid that is none",
      method: "POST",
      path: "/registrations",
      body: { class: "lab", uuid: "me" },
      detail: /^uuid: "me" is no uuid$/,
    },
    {
      name: "an owner with a line end",
      method: "POST",
      path: "/registrations",
      body: { class: "lab", owner: "a\nb" },
      detail: /^owner: holds characters that cannot be printed$/,
    },
    {
      name: "nothing where something is needed",
      method: "POST",
      path: "/registrations",
      detail: /^class: expected string/,
    },
    {
      name: "a class's name that is no label",
      method: "POST",
      path: "/classes",
      body: { name: "Lab" },
      detail: /^name: "Lab": expected lower-case letters/,
    },
    {
      name: "a class's name that is a uuid",
      method: "POST",
      path: "/classes",
      body: { name: ME },
      detail: /and no uuid$/,
    },
    {
      name: "a range that is none",
      method: "PUT",
      path: `/netblocks/${BLOCK}`,
      body: { range: "192.0.2.1/24" },
      detail: /^range: "192\.0\.2\.1\/24": host bits are set/,
    },
    {
      name: "a uuid of the path that is none",
      method: "DELETE",
      path: "/netblocks/x",
      detail: /^"x" in the path is no uuid$/,
    },
    {
      name: "a query that nobody knows",
      method: "GET",
      path: "/addresses?clas=lab",
      detail: /^query: unknown field "clas"$/,
    },
    {
      name: "a query given twice",
      method: "GET",
      path: "/addresses?class=lab&class=bare",
      detail: /given twice$/,
    },
    {
      name: "a query where a body is meant",
      method: "POST",
      path: "/registrations?class=lab",
      body: {},
      detail: /^query: unknown field "class"$/,
    },
  ];
  for (const { name, method, path, body, detail } of bad) {
    test(name, async () => {
      await using stage = await makeStage();
      const [status, problem] = await stage.ask(method, path, body);
      assert.deepEqual([status, problem["code"]], [400, "BadRequest"]);
      assert.match(String(problem["detail"]), detail);
      assert.deepEqual(await stage.get("/addresses"), [200, { addresses: {} }]);
    });
  }
});

test("ten thousand are renewed at once, and no more", async () => {
  await using stage = await makeStage();
  await stage.post("/registrations", { class: "lab", uuid: ME });
  const uuids = [ME, ...Array.from({ length: 9999 }, () => OTHER)];
  const [status, { renewed, unknown }] = await stage.post("/renew", { uuids });
  assert.deepEqual([status, unknown], [200, [OTHER]]);
  assert.equal((renewed as unknown[]).length, 1);
  const [refused, { code }] = await stage.post("/renew", { uuids: [...uuids, OTHER] });
  assert.deepEqual([refused, code], [400, "BadRequest"]);
});

test("all that is described was answered so in the tests above", () => {
  assert.deepEqual(DESCRIBED.unseen(), []);
});

type Shown = Readonly<Record<string, unknown>>;
type Answer = readonly [status: number, body: Shown];

interface Stage extends AsyncDisposable {
  ask(method: string, path: string, body?: unknown): Promise<Answer>;
  get(path: string): Promise<Answer>;
  post(path: string, body?: unknown): Promise<Answer>;
  put(path: string, body?: unknown): Promise<Answer>;
  delete(path: string): Promise<Answer>;
  advance(ms: number): Promise<void>;
}

/** The classes lab, with 192.0.2.0/30, and bare. */
async function makeStage(): Promise<Stage> {
  const stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "fairlead-rest-"));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const store = stack.use(createSqliteIpamStore({ path: join(folder, "ipam.db") }));
  const clock = createFakeClock({ wallMs: Date.parse(BEGIN) });
  const log = createLogger({ level: "silent", format: "json" });
  const leaseMs = 3_600_000;
  const graceMs = 86_400_000;
  const service = stack.use(await createIpamService({ store, clock, log, leaseMs, graceMs }));
  const routes = ipamRoutes({ service, newUuid: randomUuid });
  const listen = { host: "127.0.0.1", port: 0 };
  const server = stack.use(await createRestServer({ listen, log, routes }));
  const ask = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const sent =
      body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    const url = `http://${formatHostPort(server.address)}/ipam/v1${path}`;
    const answer = await fetch(url, { method, ...sent });
    const text = await answer.text();
    const shown = text === "" ? {} : (JSON.parse(text) as Shown);
    const type = answer.headers.get("content-type") ?? undefined;
    DESCRIBED.check({ method, path: `/ipam/v1${path}`, status: answer.status, type, body: shown });
    return [answer.status, shown];
  };
  await ask("POST", "/classes", { uuid: LAB, name: "lab" });
  await ask("POST", "/classes", { name: "bare" });
  await ask("POST", "/netblocks", { uuid: BLOCK, class: "lab", range: "192.0.2.0/30" });
  return {
    ask,
    get: (path) => ask("GET", path),
    post: (path, body) => ask("POST", path, body),
    put: (path, body) => ask("PUT", path, body),
    delete: (path) => ask("DELETE", path),
    advance: (ms) => clock.advance(ms),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
