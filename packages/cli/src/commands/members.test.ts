// What an operator sees of the table of members, by itself and in explain: real gRPC servers play
// the agent and, for explain, the controller.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { Server } from "@grpc/grpc-js";
import { REASONS } from "@fairlead/model";
import {
  AdminService,
  AgentDebugService,
  bindServer,
  closeServer,
  type GetMembersResponseSchema,
  LinkState,
  type MessageInitShape,
  serverOptions,
  serviceDefinition,
  unaryHandler,
} from "@fairlead/wire";

import { EXIT } from "../exit-codes.ts";
import { runProgram } from "../program.ts";

type Answer = MessageInitShape<typeof GetMembersResponseSchema>;
type ListenerInit = NonNullable<Answer["listeners"]>[number];
type Explained = MessageInitShape<typeof AdminService.method.explain.output>;

const WEB: ListenerInit = {
  service: "198.18.1.0",
  address: "192.0.2.100",
  port: 80,
  protocol: "tcp",
  claim: "default/web",
  slots: 24,
  members: [
    { address: "10.0.0.1", port: 8080, slots: 12, state: "active", flows: 3 },
    { address: "10.0.0.2", port: 8080, slots: 12, state: "active", flows: 0 },
    { address: "10.0.0.3", port: 8080, slots: 0, state: "removed", flows: 1 },
  ],
};
const SIX: ListenerInit = {
  service: "fdfa:1ead::100",
  address: "2001:db8::100",
  port: 53,
  protocol: "udp",
  claim: "default/dns",
  slots: 24,
};

const TABLE = `LISTENER                 CLAIM         FROM             MEMBER          SLOTS   STATE     CONNECTIONS
192.0.2.100:80/TCP       default/web   198.18.1.0       10.0.0.1:8080   12/24   active    3
192.0.2.100:80/TCP       default/web   198.18.1.0       10.0.0.2:8080   12/24   active    0
192.0.2.100:80/TCP       default/web   198.18.1.0       10.0.0.3:8080   0/24    removed   1
[2001:db8::100]:53/UDP   default/dns   fdfa:1ead::100   -               0/24    -         -
`;

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line with an agent, and a controller that explains so. */
async function run(
  args: readonly string[],
  answer: Answer,
  explained: Explained = {},
): Promise<Said & { readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const server = new Server(serverOptions());
  server.addService(serviceDefinition(AgentDebugService), {
    getMembers: unaryHandler(({ subject }: { readonly subject: string }) => {
      asked.push(subject);
      return answer;
    }, String),
  });
  server.addService(serviceDefinition(AdminService), {
    explain: unaryHandler(() => explained, String),
  });
  const port = await bindServer(server, "127.0.0.1:0", { kind: "insecure" });
  const at = `127.0.0.1:${port}`;
  let [out, err] = ["", ""];
  const isNamed = args[0] !== "explain" || args.includes("--server");
  const controller = isNamed ? [] : ["--server", at];
  const code = await runProgram([...args, "--agent", at, ...controller], {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    onInterrupt: () => ({ [Symbol.dispose]: () => undefined }),
  });
  await closeServer(server);
  return { code, out, err, asked };
}

suite("fairlead agents members", () => {
  test("shows each member with its slots and connections", async () => {
    const said = await run(["agents", "members"], { inKernel: true, listeners: [WEB, SIX] });
    assert.deepEqual(said, { code: EXIT.good, out: TABLE, err: "", asked: [""] });
  });

  test("asks for what is named, and knows when there is nothing of it", async () => {
    const { code, err, asked } = await run(["agents", "members", "shop/db"], { inKernel: true });
    assert.deepEqual([code, asked], [EXIT.notFound, ["shop/db"]]);
    assert.match(err, /^error: the table has nothing of "shop\/db"\n/);
  });

  test("gives JSON", async () => {
    const { out } = await run(["agents", "members", "-o", "json"], {
      inKernel: true,
      listeners: [WEB],
    });
    const { inKernel, listeners } = JSON.parse(out) as Answer & { listeners: readonly unknown[] };
    assert.deepEqual([inKernel, listeners], [true, [WEB]]);
  });

  test("says where members stand in nginx's file", async () => {
    const { code, out } = await run(["agents", "members"], { inKernel: false });
    assert.deepEqual([code, out], [EXIT.good, "members stand in nginx's file on this host\n"]);
  });

  test("says what it could not read, count or show", async () => {
    const unread = await run(["agents", "members"], { inKernel: true, trouble: "nft says no" });
    assert.equal(unread.code, EXIT.bad);
    assert.match(unread.err, /why: {2}nft says no/);
    const listeners = [WEB];
    const some = { inKernel: true, listeners, leftOut: 7, flowsTrouble: "it is busy" };
    const { code, err } = await run(["agents", "members"], some);
    assert.equal(code, EXIT.good);
    assert.equal(
      err,
      "connections are not counted: it is busy\n7 more listeners are left out; name a subject\n",
    );
  });
});

suite("fairlead explain", () => {
  const { code: outsidePools } = REASONS.AddressOutsidePools;
  const detail = "it lies in no pool";
  const outside: Explained = {
    found: true,
    title: "Address 198.18.1.0",
    steps: [{ title: "Leased", state: LinkState.BROKEN, detail, code: outsidePools }],
  };

  const nowhere = ["--server", "127.0.0.1:1"];

  test("says whose a service address is", async () => {
    const answer = { inKernel: true, listeners: [WEB] };
    const { code, out, asked } = await run(["explain", "198.18.1.0"], answer, outside);
    assert.deepEqual([code, asked], [EXIT.good, ["198.18.1.0"]]);
    assert.match(
      out,
      /^198\.18\.1\.0 is what nginx connects from on this host, for 192\.0\.2\.100:80\/TCP of default\/web\n\nLISTENER/,
    );
  });

  test("says that an address is a member's, however it is written", async () => {
    const members = [{ address: "fd00::7", port: 8080, slots: 24, state: "active", flows: 0 }];
    const answer = { inKernel: true, listeners: [{ ...SIX, members }] };
    const { out } = await run(["explain", "FD00::0:7"], answer, outside);
    assert.match(out, /^fd00::7 is a member of a listener on this host\n/);
  });

  test("shows the slots of a Service below its chain", async () => {
    const answer = { inKernel: true, listeners: [WEB] };
    const said = await run(["explain", "default/web"], answer, { found: true, title: "Service" });
    assert.equal(said.code, EXIT.good);
    assert.match(said.out, /^Service\n\nLISTENER [^]* 10\.0\.0\.1:8080 +12\/24 /);
    const json = await run(["explain", "default/web", "-o", "json"], answer, { found: true });
    const { found, table } = JSON.parse(json.out) as {
      readonly found: boolean;
      readonly table: { readonly listeners: readonly unknown[] };
    };
    assert.deepEqual([found, table.listeners.length], [true, 1]);
  });

  test("says whose a service address is on a host from which no controller is reached", async () => {
    const answer = { inKernel: true, listeners: [WEB] };
    const { code, out } = await run(["explain", "198.18.1.0", ...nowhere], answer);
    assert.equal(code, EXIT.good);
    assert.match(out, /^198\.18\.1\.0 is what nginx connects from on this host, for /);
    for (const subject of ["192.0.2.100", "192.0.2.101", "default/web"]) {
      const unknown = await run(["explain", subject, ...nowhere], answer);
      assert.equal(unknown.code, EXIT.unreachable);
      assert.match(unknown.err, /^error: the controller did not answer the question\n/);
    }
  });

  const ours = {
    inKernel: true,
    networks: ["198.18.0.0/15", "fdfa:1ead::/64"],
    targets: ["198.18.0.1", "fdfa:1ead::1"],
  };

  for (const [name, more] of [
    ["whom a controller answers", []],
    ["from which no controller is reached", nowhere],
  ] as const) {
    test(`says on a host ${name} that a service address stands for nothing`, async () => {
      for (const subject of ["198.19.3.4", "fdfa:1ead::99"]) {
        const { code, out, err } = await run(["explain", subject, ...more], ours, outside);
        assert.deepEqual([code, out], [EXIT.notFound, ""]);
        assert.match(err, new RegExp(`^error: ${subject} is a service address that stands for no`));
        assert.match(err, /why: {2}the host takes service addresses of (?:198\.18|fdfa:1ead)/);
        assert.match(err, /do: {3}Ask on the host where it was seen/);
      }
    });

    test(`says on a host ${name} what nginx connects to`, async () => {
      for (const subject of ours.targets) {
        const { code, out } = await run(["explain", subject, ...more], ours, outside);
        assert.equal(code, EXIT.good);
        assert.match(out, new RegExp(`^${subject} is what nginx connects to on this host, for ev`));
        assert.doesNotMatch(out, /LISTENER/);
      }
    });
  }

  test("of a listener that is gone says whom its connections go to still", async () => {
    const gone = { ...WEB, address: "", port: 0, claim: "", slots: 0 };
    const answer = { ...ours, listeners: [gone] };
    const { code, out } = await run(["explain", "198.18.1.0"], answer, outside);
    assert.equal(code, EXIT.good);
    assert.match(
      out,
      /^198\.18\.1\.0 is what nginx connected from on this host, for a listener tha/,
    );
    assert.match(out, / 10\.0\.0\.3:8080 +0\/0 +removed +1\n/);
  });

  test("says that the agent could not read its table, and not that nobody has it", async () => {
    const answer = { ...ours, trouble: "nft says no" };
    const { code, err } = await run(["explain", "198.18.1.0"], answer, outside);
    assert.equal(code, EXIT.bad);
    assert.match(err, /why: {2}nft says no/);
  });

  test("of an address that is nobody's stays as it is", async () => {
    const { code, out } = await run(["explain", "198.18.1.0"], { inKernel: true }, outside);
    assert.equal(code, EXIT.bad);
    assert.match(out, /^Address 198\.18\.1\.0\n 1 {2}Leased/);
  });
});
