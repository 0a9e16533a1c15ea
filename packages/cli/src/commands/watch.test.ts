// What an operator sees who watches: a real gRPC server plays the controller, and says by hand what
// changes.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { Server, type ServerWritableStream, status } from "@grpc/grpc-js";
import {
  AdminService,
  bindServer,
  closeServer,
  type ListKind,
  type MessageInitShape,
  serverOptions,
  serviceDefinition,
  type WatchResponseSchema,
} from "@fairlead/wire";

import { EXIT } from "../exit-codes.ts";
import { runProgram } from "../program.ts";

type Message = MessageInitShape<typeof WatchResponseSchema>;
type Call = ServerWritableStream<{ readonly kinds: readonly ListKind[] }, Message>;

/** The controller, played by hand. */
class HandPlayed implements AsyncDisposable {
  readonly #server = new Server(serverOptions());
  readonly #call = Promise.withResolvers<Call>();
  at = "";

  async start(): Promise<this> {
    this.#server.addService(serviceDefinition(AdminService), {
      watch: (call: Call) => this.#call.resolve(call),
    });
    const port = await bindServer(this.#server, "127.0.0.1:0", { kind: "insecure" });
    this.at = `127.0.0.1:${port}`;
    return this;
  }

  async say(message: Message): Promise<void> {
    (await this.#call.promise).write(message);
  }

  async end(code: status, details: string): Promise<void> {
    (await this.#call.promise).emit("error", Object.assign(new Error(details), { code, details }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return closeServer(this.#server);
  }
}

/** One run of the command line. */
class Run {
  out = "";
  err = "";
  readonly exit: Promise<number>;
  #interrupt: () => void = () => assert.fail("it does not listen for Ctrl-C");
  #wake: () => void = () => undefined;

  constructor(...args: readonly string[]) {
    this.exit = runProgram(args, {
      out: (text) => {
        this.out += text;
        this.#wake();
      },
      err: (text) => void (this.err += text),
      onInterrupt: (run) => {
        this.#interrupt = run;
        return { [Symbol.dispose]: () => undefined };
      },
    });
  }

  /** Waits for this text in the output, and gives what came since the last call. */
  async until(text: string): Promise<string> {
    while (!this.out.includes(text)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const early = await Promise.race([promise, this.exit]);
      if (early !== undefined) assert.fail(`it ended with ${early} before ${text}: ${this.err}`);
    }
    const came = this.out;
    this.out = "";
    return came;
  }

  pressCtrlC(): void {
    this.#interrupt();
  }
}

const web = (state: string, holder: string) => [
  {
    id: "service/default/web",
    namespace: "default",
    name: "web",
    addresses: [{ address: "192.0.2.100", holder, published: true }],
    ports: ["80/TCP"],
    state,
  },
];
const lb1 = (state: string, vipsHeld: number) => [
  { name: "lb1", state, sync: "in-sync", vipsHeld, vipsPlanned: 2, keepalivedAlive: true },
];
const READY = { ready: true, epoch: 1n };
const WHOLE: Message = {
  whole: true,
  rows: { controller: READY, claims: web("ready", "lb1"), agents: lb1("connected", 1) },
};

suite("fairlead status -w", () => {
  test("prints the table, then a line for each row that changes, until Ctrl-C", async () => {
    await using controller = await new HandPlayed().start();
    const run = new Run("status", "-w", "--server", controller.at);
    await controller.say(WHOLE);
    assert.equal(
      await run.until("controller ready\n"),
      [
        "NAME          ADDRESS       PORTS    HOLDER   STATE   REASON",
        "default/web   192.0.2.100   80/TCP   lb1      ready   -",
        "",
        "1 of 1 served; 1 of 1 agents connected; controller ready",
        "",
      ].join("\n"),
    );
    await controller.say({ rows: { controller: READY, claims: web("ready", "lb2") } });
    assert.equal(
      await run.until("lb2"),
      "default/web   192.0.2.100   80/TCP   lb2      ready   -\n",
    );
    await controller.say({
      rows: { controller: READY, agents: lb1("connected", 2) },
      removed: { claims: ["service/default/web"] },
    });
    assert.equal(
      await run.until("gone"),
      "default/web   192.0.2.100   80/TCP   lb2      gone    -\n",
      "an agent that works is no news",
    );
    await controller.say({ rows: { controller: READY, agents: lb1("disconnected", 2) } });
    assert.match(await run.until("disconnected"), /^agent\/lb1 +disconnected +in-sync +.*\n$/);
    run.pressCtrlC();
    assert.equal(await run.exit, EXIT.interrupted);
    assert.equal(run.err, "");
  });

  test("says findings that come and go, and when the controller is not ready", async () => {
    await using controller = await new HandPlayed().start();
    const run = new Run("status", "--watch", "--server", controller.at);
    await controller.say(WHOLE);
    await run.until("controller ready\n");
    const remark = { reason: "ManifestUnreadable", detail: "line 3" };
    const findings = [{ subject: "file", name: "a.yaml", remark }];
    await controller.say({ rows: { controller: READY, findings } });
    assert.match(
      await run.until("line 3\n"),
      /^finding\/file +a\.yaml +ManifestUnreadable +line 3\n$/,
    );
    await controller.say({
      rows: { controller: { ...READY, ready: false, detail: "the store is not written" } },
      removed: { findings: [{ subject: "file", name: "a.yaml" }] },
    });
    assert.match(
      await run.until("gone"),
      /^controller not ready: the store is not written\nfinding\/file +a\.yaml +gone +line 3\n$/,
    );
    run.pressCtrlC();
    assert.equal(await run.exit, EXIT.interrupted);
  });

  test("gives one JSON object a row and line", async () => {
    await using controller = await new HandPlayed().start();
    const run = new Run("status", "-w", "-o", "json", "--server", controller.at);
    await controller.say(WHOLE);
    await controller.say({
      rows: { controller: READY },
      removed: { claims: ["service/default/web"] },
    });
    const lines = (await run.until('"removed"')).trimEnd().split("\n");
    const values = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      values.map(({ kind, change }) => `${String(kind)} ${String(change)}`),
      ["controller set", "claim set", "agent set", "claim removed"],
    );
    assert.partialDeepStrictEqual(values.at(-1), { row: { name: "web", state: "ready" } });
    run.pressCtrlC();
    await run.exit;
  });

  test("ends with one line when the controller goes away", async () => {
    await using controller = await new HandPlayed().start();
    const run = new Run("status", "-w", "--server", controller.at);
    await controller.say(WHOLE);
    await run.until("controller ready\n");
    await controller.end(status.UNAVAILABLE, "the controller is stopping");
    assert.equal(await run.exit, EXIT.unreachable);
    assert.equal(
      run.err,
      `error: the controller at ${controller.at} went away: the controller is stopping\n`,
    );
  });

  test("of a controller that was never there is an error as any other", async () => {
    const controller = await new HandPlayed().start();
    await controller[Symbol.asyncDispose]();
    const run = new Run("status", "-w", "--server", controller.at);
    assert.equal(await run.exit, EXIT.unreachable);
    assert.match(run.err, /^error: the controller did not answer the question\n.*UNREACHABLE/s);
  });

  test("is refused when too many watch", async () => {
    await using controller = await new HandPlayed().start();
    const run = new Run("status", "-w", "--server", controller.at);
    await controller.end(status.RESOURCE_EXHAUSTED, "64 others watch already");
    assert.equal(await run.exit, EXIT.refused);
    assert.match(run.err, /64 others watch already.*End one of the commands that watch/s);
  });

  test("does not go with --wait", async () => {
    const run = new Run("status", "-w", "--wait", "5s");
    assert.equal(await run.exit, EXIT.usage);
    assert.match(run.err, /--watch.*cannot be used with.*--wait/);
  });
});

test("fairlead agents -w prints a line for each agent that changes", async () => {
  await using controller = await new HandPlayed().start();
  const run = new Run("agents", "-w", "--no-headers", "--server", controller.at);
  await controller.say({ whole: true, rows: { agents: lb1("connected", 1) } });
  assert.match(await run.until("\n"), /^lb1 +connected +in-sync +- +1\/2 +up +0s +-\n$/);
  await controller.say({ rows: { agents: lb1("connected", 2) } });
  assert.match(await run.until("\n"), /^lb1 +connected +in-sync +- +2\/2 +up +0s +-\n$/);
  run.pressCtrlC();
  assert.equal(await run.exit, EXIT.interrupted);
});
