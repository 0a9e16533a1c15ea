// A new file for a keepalived that died, while its supervisor starts it anew: which file it reads
// is a matter of milliseconds. The service is a stand-in that says keepalived's words; the checker
// accepts all.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createFakeClock } from "@fairlead/runtime";
import { dataPlaneLayout } from "../data-plane-layout.ts";
import type { ApplyOutcome } from "../ports.ts";
import type { SupervisedService } from "../supervised.ts";
import { createKeepalivedDaemon } from "./keepalived-daemon.ts";

const OLD = config([100]);
const NEW = config([100, 101]);

function config(hosts: readonly number[]): string {
  return `vrrp_instance lane-51 {
  virtual_ipaddress {
    169.254.255.51/32 dev eth0 scope link
  }
  virtual_ipaddress_excluded {
${hosts.map((host) => `    192.0.2.${host}/32 dev eth0`).join("\n")}
  }
}
`;
}

/** A process of keepalived, or the shell that becomes it. */
interface Process {
  readonly pid: number;
  /** The file that it has read. */
  text: string;
  /** It takes signals; before that they end it. */
  isReady: boolean;
}

/** What happens on its own, once, when the agent does this. */
type Moment = "looks" | "marks" | "reloads" | "waits";

class StandIn implements SupervisedService {
  readonly name = "keepalived";
  readonly moments = new Map<Moment, () => void>();
  readonly lines: string[] = [];
  readonly #path: string;
  /** It ends at once with this file. */
  fatal: string | undefined;
  running: Process | undefined;
  stops = 0;
  #starts = 0;

  constructor(path: string) {
    this.#path = path;
  }

  readonly log = {
    mark: async () => {
      const mark = { inode: 1n, offset: this.lines.length };
      this.#comes("marks");
      return mark;
    },
    since: async ({ offset }: { readonly offset: number }) => {
      const said = this.lines.slice(offset);
      this.#comes("waits");
      return said;
    },
  };

  async state() {
    const state = this.running === undefined ? { up: false } : { up: true, pid: this.running.pid };
    this.#comes("looks");
    return state;
  }

  recentState = () => this.state();

  async start() {
    if (this.running !== undefined) return;
    this.reads();
    this.isStarted();
  }

  async stop() {
    this.stops += 1;
    this.running = undefined;
  }

  async restart() {}

  async reload() {
    this.#comes("reloads");
    const { running } = this;
    if (running === undefined) return;
    if (running.isReady) {
      const rereads = (): void => {
        this.lines.push("Reloading ...");
        running.text = this.#file();
        this.lines.push("Reloading", "Reload complete");
      };
      // Not before the agent has looked for its word once.
      this.moments.set("waits", () => void this.moments.set("waits", rereads));
    } else {
      this.running = undefined;
      this.moments.set("waits", () => void this.start());
    }
  }

  /** Begins to start, with the file that is there. */
  reads() {
    this.#starts += 1;
    this.running = { pid: this.#starts, text: this.#file(), isReady: false };
    if (this.running.text === this.fatal) this.running = undefined;
  }

  isStarted() {
    if (this.running === undefined) return;
    this.running.isReady = true;
    this.lines.push("Startup complete");
  }

  #file(): string {
    return readFileSync(this.#path, "utf8");
  }

  #comes(moment: Moment): void {
    const happens = this.moments.get(moment);
    this.moments.delete(moment);
    happens?.();
  }
}

async function stage() {
  const folder = await mkdtempDisposable(join(tmpdir(), "fairlead-dead-"));
  const layout = dataPlaneLayout(folder.path);
  await mkdir(layout.keepalived.dir, { recursive: true });
  const service = new StandIn(layout.keepalived.config);
  const clock = createFakeClock();
  const view = async () => ({ links: [], addresses: [] });
  const made = { layout, service, kernel: { view }, clock, program: "/bin/true" };
  const daemon = createKeepalivedDaemon(made);
  const apply = async (text: string, vips: number): Promise<ApplyOutcome> => {
    let isDone = false;
    const applied = daemon.apply(text, vips).finally(() => (isDone = true));
    while (!isDone) await clock.advance(10);
    return await applied;
  };
  return {
    service,
    layout,
    apply,
    onDisk: () => readFile(layout.keepalived.config, "utf8"),
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}

/** It has served the old file, and died a moment ago. */
async function died() {
  const s = await stage();
  assert.deepEqual(await s.apply(OLD, 1), { kind: "applied", reloaded: true });
  s.service.running = undefined;
  return s;
}

const starts = [
  { when: "just after it was looked at", moment: "looks" },
  { when: "just before the file was swapped in", moment: "marks" },
] as const;

for (const { when, moment } of starts) {
  test(`a keepalived that its supervisor starts ${when} gets the new file`, async () => {
    await using s = await died();
    s.service.moments.set(moment, () => void s.service.start());
    assert.deepEqual(await s.apply(NEW, 2), { kind: "applied", reloaded: true });
    assert.equal(s.service.running?.text, NEW, "the word about its start is none about the file");
    assert.equal(s.service.stops, 0);
  });
}

test("one that read the old file and says so after the swap has not taken the new one", async () => {
  await using s = await died();
  s.service.moments.set("marks", () => s.service.reads());
  s.service.moments.set("reloads", () => s.service.isStarted());
  assert.deepEqual(await s.apply(NEW, 2), { kind: "applied", reloaded: true });
  assert.equal(s.service.running?.text, NEW);
});

test("one that a signal ends while it starts is taken at its word when it is back", async () => {
  await using s = await died();
  s.service.moments.set("marks", () => s.service.reads());
  assert.deepEqual(await s.apply(NEW, 2), { kind: "applied", reloaded: true });
  assert.equal(s.service.running?.text, NEW);
});

test("a file that a dead keepalived does not take leaves it serving the one before", async () => {
  await using s = await died();
  s.service.fatal = NEW;
  assert.equal((await s.apply(NEW, 2)).kind, "refused");
  assert.equal(await s.onDisk(), OLD);
  assert.equal(s.service.running?.text, OLD);
  assert.equal(s.service.stops, 0);
  assert.deepEqual(await s.apply(OLD, 1), { kind: "applied", reloaded: false });
});

test("a first file that keepalived does not take is not tried every second", async () => {
  await using s = await stage();
  s.service.fatal = NEW;
  assert.equal((await s.apply(NEW, 2)).kind, "refused");
  assert.equal(s.service.stops, 1);
  assert.equal(existsSync(s.layout.keepalived.config), false);
});
