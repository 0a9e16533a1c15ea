// Visits addresses once each over HTTP, some at a time. Given a JSON array of "ADDRESS:PORT" on its
// standard input; it writes a JSON object of what each answered, null for those who did not.

import { get } from "node:http";
import { text } from "node:stream/consumers";

const AT_ONCE = 50;
const TIMEOUT_MS = 1_000;

const targets = JSON.parse(await text(process.stdin)) as readonly string[];
const answers: Record<string, string | null> = {};
const queue = [...targets];
await Promise.all(Array.from({ length: AT_ONCE }, visitNext));
process.stdout.write(JSON.stringify(answers));

async function visitNext(): Promise<void> {
  for (let target = queue.shift(); target !== undefined; target = queue.shift()) {
    answers[target] = await visit(target);
  }
}

function visit(target: string): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  // Also while it connects: the kernel asks for an absent address for three seconds.
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const request = get(`http://${target}/`, { agent: false, signal }, (response) => {
    text(response).then(resolve, () => resolve(null));
  });
  request.once("error", () => resolve(null));
  return promise;
}
