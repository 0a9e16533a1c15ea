// Asks the controller from inside its host, often and cheaply, by one program that stays. Given the
// control host. What it gives has the form of `fairlead status -o json`, which is a contract.

import { fileURLToPath } from "node:url";

import type { Host, RunningProgram } from "@fairlead/lab";

/** A remark, as it stands in answers. */
export interface RemarkJson {
  readonly reason: string;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly remedy: string;
}

/** A claim with its verdict. */
export interface ClaimJson {
  readonly namespace: string;
  readonly name: string;
  readonly addresses: readonly {
    readonly address: string;
    readonly holder: string;
    readonly published: boolean;
  }[];
  readonly ports: readonly string[];
  readonly state: "ready" | "pending" | "refused";
  readonly main?: RemarkJson;
  readonly remarks: readonly RemarkJson[];
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  }[];
  readonly members: number;
  /** The file that declares it, below the folder. */
  readonly origin: string;
}

/** An agent. */
export interface AgentJson {
  readonly name: string;
  readonly state: "connected" | "disconnected";
  readonly sync: string;
  readonly wantedRevision: string;
  readonly appliedRevision: string;
  readonly vipsHeld: number;
  readonly vipsPlanned: number;
  readonly generationsAlive: number;
  readonly keepalivedAlive: boolean;
  /** Since when it is drained, epoch ms; absent: it is not. */
  readonly drainedSinceMs?: string;
  readonly remarks: readonly RemarkJson[];
}

/** An address that is not free. */
export interface AddressJson {
  readonly address: string;
  readonly owners: readonly string[];
  readonly state: "held" | "draining" | "quarantined";
  readonly holder: string;
  readonly order: readonly string[];
  readonly waitingFor: readonly string[];
  readonly standingBy: readonly string[];
}

/** All that the controller says. */
export interface ListJson {
  readonly controller?: {
    readonly ready: boolean;
    readonly cycles: string;
    readonly epoch: string;
    /** Another controller leads. */
    readonly standsBy: boolean;
    readonly leader: string;
  };
  readonly claims: readonly ClaimJson[];
  readonly agents: readonly AgentJson[];
  readonly addresses: readonly AddressJson[];
  readonly findings: readonly {
    readonly subject: string;
    readonly name: string;
    readonly remark?: RemarkJson;
  }[];
}

/** The chain of one subject. */
export interface ChainJson {
  readonly found: boolean;
  readonly title: string;
  readonly steps: readonly {
    readonly title: string;
    readonly state: string;
    readonly detail: string;
    readonly code: string;
  }[];
  readonly remedy: string;
  readonly similar: readonly string[];
}

/** Puts questions. Each rejects when the controller gives no answer. */
export interface Asker {
  list(): Promise<ListJson>;
  explain(subject: string): Promise<ChainJson>;
}

const START_MS_MAX = 15_000;

interface Answer {
  readonly answer?: unknown;
  readonly error?: string;
}

/** A question that waits: its answer so far, and who gets it. */
interface Waiting {
  readonly parts: string[];
  readonly settle: (answer: Answer) => void;
}

/** Starts the asking program on a host. It ends with the host. */
export async function startAsker(host: Host): Promise<Asker> {
  const waiting = new Map<number, Waiting>();
  const main = fileURLToPath(new URL("./asker/main.ts", import.meta.url));
  const program = await host.start(process.execPath, [main], {
    onLine: (line) => {
      const [, id = "", part = ""] = /^(\d+) (.*)$/.exec(line) ?? [];
      const question = waiting.get(Number(id));
      if (part !== ".") question?.parts.push(part);
      else question?.settle(JSON.parse(question.parts.join("")) as Answer);
    },
  });
  await program.waitForLine(/^ready$/, START_MS_MAX);
  let lastId = 0;
  const ask = async (question: { readonly subject?: string }): Promise<unknown> => {
    lastId += 1;
    const id = lastId;
    const { error, answer } = await answerOf(program, waiting, { id, ...question });
    if (error !== undefined) throw new Error(`the controller gives no answer: ${error}`);
    return answer;
  };
  return {
    list: async () => (await ask({})) as ListJson,
    explain: async (subject) => (await ask({ subject })) as ChainJson,
  };
}

async function answerOf(
  program: RunningProgram,
  waiting: Map<number, Waiting>,
  question: { readonly id: number },
): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  waiting.set(question.id, { parts: [], settle: resolve });
  const ended = program.exited.then(() => ({ error: "the asker has ended" }));
  program.write(`${JSON.stringify(question)}\n`);
  try {
    return await Promise.race([promise, ended]);
  } finally {
    waiting.delete(question.id);
  }
}
