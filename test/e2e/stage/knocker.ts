// Knocks at ports from a client's host, for stories that ask what happens there before anything is
// said: it opens, it is refused, or nobody answers. Once, or without a pause for as long as a story
// goes on. Given the host; nothing is sent.

import { type Host, monotonicMs, type RunningProgram } from "@fairlead/lab";

/** What came of a knock. */
export interface Knock {
  /** `open`, an error's code, or `silence` after two seconds. */
  readonly said: string;
  readonly tookMs: number;
}

/** What came of a knock that was one of many. */
export interface LateKnock {
  /** `open`, an error's code, or `silence` after 900 ms. */
  readonly said: string;
  /** When that was known, in monotonic ms. */
  readonly saidMs: number;
}

/** Somebody who knocks again and again. */
export interface Knocker extends AsyncDisposable {
  /** All knocks at this address so far whose end is known. */
  at(address: string): readonly LateKnock[];
}

/** A busy machine keeps this; a lost SYN, sent again after a second, does not. */
const PATIENCE_MS = 900;
const STARTS_MS_MAX = 10_000;

const KNOCK = `
const { connect } = require("node:net");
const knock = ([host, port], patienceMs) => new Promise((resolve) => {
  const begun = performance.now();
  const socket = connect({ host, port });
  const say = (said) => {
    clearTimeout(timer);
    socket.destroy();
    resolve({ said, tookMs: performance.now() - begun });
  };
  const timer = setTimeout(() => say("silence"), patienceMs);
  socket.on("connect", () => say("open"));
  socket.on("error", (error) => say(error.code));
});
const all = JSON.parse(process.argv[1]);
`;
const ONCE = `${KNOCK}
Promise.all(all.map((one) => knock(one, 2000))).then((said) => console.log(JSON.stringify(said)));
`;
const AGAIN = `${KNOCK}
setInterval(() => {
  for (const one of all) {
    knock(one, ${PATIENCE_MS}).then(({ said }) => console.log(one[0] + " " + said));
  }
}, process.argv[2]);
`;

/** Knocks at all at once, and says what came of each, in their order. */
export async function knock(
  client: Host,
  ...at: readonly (readonly [address: string, port: number])[]
): Promise<readonly Knock[]> {
  const said = await client.output(process.execPath, ["-e", ONCE, JSON.stringify(at)]);
  return JSON.parse(said) as readonly Knock[];
}

/** Knocks at this port of all of them until it is ended; no knock waits for another. */
export async function knockOnAndOn(
  client: Host,
  at: { readonly addresses: readonly string[]; readonly port: number; readonly everyMs: number },
): Promise<Knocker> {
  const knocks = new Map<string, LateKnock[]>(at.addresses.map((address) => [address, []]));
  const all = JSON.stringify(at.addresses.map((address) => [address, at.port]));
  const args = ["-e", AGAIN, all, String(at.everyMs)];
  const program: RunningProgram = await client.start(process.execPath, args, {
    onLine: (line) => {
      const [address = "", said = ""] = line.split(" ");
      knocks.get(address)?.push({ said, saidMs: monotonicMs() });
    },
  });
  await program.waitForLine(/^\S+ \S+$/, STARTS_MS_MAX);
  return {
    at: (address) => knocks.get(address) ?? [],
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}
