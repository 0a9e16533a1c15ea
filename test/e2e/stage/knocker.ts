// Knocks at ports from a client's host, for stories that ask what happens there before anything is
// said: it opens, it is refused, or nobody answers. Given the host; nothing is sent.

import type { Host } from "@fairlead/lab";

/** What came of a knock. */
export interface Knock {
  /** `open`, an error's code, or `silence` after two seconds. */
  readonly said: string;
  readonly tookMs: number;
}

const SCRIPT = `
const { connect } = require("node:net");
const knock = ([host, port]) => new Promise((resolve) => {
  const begun = performance.now();
  const socket = connect({ host, port });
  const say = (said) => {
    clearTimeout(timer);
    socket.destroy();
    resolve({ said, tookMs: performance.now() - begun });
  };
  const timer = setTimeout(() => say("silence"), 2000);
  socket.on("connect", () => say("open"));
  socket.on("error", (error) => say(error.code));
});
Promise.all(JSON.parse(process.argv[1]).map(knock)).then((all) => console.log(JSON.stringify(all)));
`;

/** Knocks at all at once, and says what came of each, in their order. */
export async function knock(
  client: Host,
  ...at: readonly (readonly [address: string, port: number])[]
): Promise<readonly Knock[]> {
  const said = await client.output(process.execPath, ["-e", SCRIPT, JSON.stringify(at)]);
  return JSON.parse(said) as readonly Knock[];
}
