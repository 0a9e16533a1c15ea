// An IPAM under /ipam/v1, asked over HTTP or HTTPS: the REST that this controller serves too. What
// comes back is bounded in size and time and read strictly; its texts are escaped and shortened. It
// keeps nothing but open connections, follows no redirect, and tries nothing again.

import type { IncomingMessage, RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

import { type Clock, escapeBounded, nodeHttp } from "@fairlead/runtime";

import type { IpamAccount, IpamAnswer, IpamClient } from "../registrar/ports.ts";
import { type AskedWith, badAnswer, failedAnswer, socketError } from "./ipam-errors.ts";
import { type IpamFiles, readIpamFiles } from "./ipam-files.ts";
import { problemAnswer, registrationAnswer, renewalAnswer } from "./ipam-answers.ts";

/** An answer has to be there within this time, in ms. */
const ANSWER_MS_MAX = 5000;
/** Largest answer: a renewal of a thousand with all that is shown of each. */
const ANSWER_BYTES_MAX = 1024 * 1024;
/** Connections to one IPAM at most. */
const SOCKETS_MAX = 16;
const USER_AGENT = "fairlead-controller";

/** A client that can be closed. */
export interface HttpIpamClient extends IpamClient, Disposable {}

/** What a client works with. */
export interface HttpIpamOptions {
  /** Where the CAs and tokens of IPAMs are; see `readIpamFiles`. */
  readonly filesDir: string;
  readonly clock: Pick<Clock, "wallMs">;
  /** Default: 5000. */
  readonly answerMsMax?: number;
}

interface Call {
  readonly method: "POST" | "DELETE";
  readonly account: IpamAccount;
  /** Below `/ipam/v1`. */
  readonly path: string;
  readonly body?: object;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Makes a client; it connects with the first request. */
export function createHttpIpamClient(options: HttpIpamOptions): HttpIpamClient {
  const { answerMsMax = ANSWER_MS_MAX, filesDir, clock } = options;
  const kept = { keepAlive: true, maxSockets: SOCKETS_MAX };
  const agents = { "http:": new nodeHttp.Agent(kept), "https:": new HttpsAgent(kept) };

  async function ask(call: Call): Promise<Answer> {
    const { url: base, pool } = call.account;
    const url = new URL(`${base}/ipam/v1${call.path}`);
    const files = await readIpamFiles(filesDir, url, pool);
    const asked: AskedWith = { what: words(call), files, nowMs: clock.wallMs() };
    const signal = AbortSignal.timeout(answerMsMax);
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const isPlain = url.protocol === "http:";
    const how = { agent: agents[isPlain ? "http:" : "https:"], method: call.method, signal };
    const headers = headersOf(files, body);
    // Connections of another CA are others.
    const trust = files.caPem === undefined ? {} : { ca: files.caPem };
    let answer: Answer;
    try {
      answer = await send(call, url, { ...how, ...trust, headers }, body);
    } catch (error) {
      throw socketError(asked, error, signal);
    }
    const failure = failedAnswer(asked, answer.status);
    if (failure !== undefined) throw failure;
    return answer;
  }

  return {
    register: async ({ class: of, ...account }, wish): Promise<IpamAnswer> => {
      const call: Call = {
        method: "POST",
        account,
        path: "/registrations",
        body: { class: of, ...wish },
      };
      const { status, text } = await ask(call);
      if (!isGood(status)) return { kind: "refused", detail: problemAnswer(status, text) };
      const address = registrationAnswer(text, wish.uuid);
      if (address === undefined) throw badAnswer(words(call), "is no registration");
      return { kind: "granted", address };
    },
    renew: async (account, uuids) => {
      const call: Call = { method: "POST", account, path: "/renew", body: { uuids } };
      const { status, text } = await ask(call);
      const unknown = isGood(status) ? renewalAnswer(text, uuids) : undefined;
      if (unknown !== undefined) return unknown;
      const why = isGood(status) ? "is no renewal" : `is ${problemAnswer(status, text)}`;
      throw badAnswer(words(call), why);
    },
    release: async (account, uuid) => {
      const call: Call = { method: "DELETE", account, path: `/registrations/${uuid}` };
      const { status, text } = await ask(call);
      if (isGood(status) || status === NOT_FOUND) return;
      throw badAnswer(words(call), `is ${problemAnswer(status, text)}`);
    },
    [Symbol.dispose]: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

function headersOf({ token }: IpamFiles, body: string | undefined): Record<string, string> {
  return {
    "User-Agent": USER_AGENT,
    Accept: "application/json",
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    ...(body === undefined
      ? {}
      : {
          "Content-Type": "application/json",
          "Content-Length": String(Buffer.byteLength(body)),
        }),
  };
}

/** Rejects with what node says, or with BAD_ANSWER. */
async function send(
  call: Call,
  url: URL,
  how: RequestOptions,
  body: string | undefined,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = (url.protocol === "http:" ? nodeHttp.request : httpsRequest)(url, how);
  request.on("error", reject);
  request.on("response", (response) => {
    readText(call, response).then((text) => {
      resolve({ status: response.statusCode ?? 0, text });
    }, reject);
  });
  request.end(body);
  return await promise;
}

const NOT_FOUND = 404;

function isGood(status: number): boolean {
  return status >= 200 && status < 300;
}

/** `POST http://ipam.example/ipam/v1/renew`. */
function words({ method, account, path }: Call): string {
  return `${method} ${escapeBounded(`${account.url}/ipam/v1${path}`, WORDS_MAX)}`;
}

const WORDS_MAX = 200;

async function readText(call: Call, response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop ends the connection.
    if (size > ANSWER_BYTES_MAX) throw badAnswer(words(call), "is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
