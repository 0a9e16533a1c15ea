// A real etcd of one or more members for tests, on a host of the lab or on loopback. Given the path
// of the program. It is ready when every member answers, and nothing of it outlives the lab or this
// process. Asked over etcd's own HTTP gateway, so that what a test counts does not come from the
// client under test.

import { Agent, request } from "node:http";
import type { Host } from "../host.ts";
import { labError } from "../lab-error.ts";
import { type Certificate, createAuthority } from "./certificates.ts";
import { type ClusterProgram, createClusterProgram } from "./cluster-program.ts";
import { createEtcdCopies, type EtcdCopies, type EtcdSnapshot } from "./etcd-copies.ts";
import { ETCD_ANSWERS, USUAL_PORTS } from "./flags.ts";
import { hostPlace } from "./host-place.ts";
import { createLoopbackPlace } from "./loopback-place.ts";
import type { Place, Way } from "./place.ts";

/** How an etcd is started. */
export interface EtcdClusterOptions {
  /** The path of the program. */
  readonly program: string;
  /** The host of the lab that it runs on, for itself. Default: an address of the loopback. */
  readonly host?: Host;
  /** How many members; an odd number. Default: 1. */
  readonly members?: number;
  /** Clients need TLS and a certificate of the cluster's authority. Default: false. */
  readonly tls?: boolean;
}

/** One member, as a program that is killed, frozen and started again. */
export interface EtcdMember extends ClusterProgram {
  /** `http://ADDRESS:PORT`, or https, where clients ask it. */
  readonly url: string;
  /** How `ask` asks it, in clear text always. */
  readonly gateway: Way;
  /** The folder of its data, in the place. */
  readonly data: string;
}

/** A key as etcd has it. */
export interface EtcdKey {
  readonly key: string;
  readonly value: string;
}

/** An etcd that runs. */
export interface EtcdCluster extends AsyncDisposable {
  readonly members: readonly EtcdMember[];
  readonly urls: readonly string[];
  /** Whom clients trust, and a certificate for one. Undefined where there is no TLS. */
  readonly tls: EtcdClusterTls | undefined;
  /** Asks a member by its gateway: `/v3/kv/range` with a body. Rejects with what it said. */
  ask(path: string, body: object, member?: EtcdMember): Promise<Readonly<Record<string, unknown>>>;
  /** The member that leads, by its own word. Rejects when none of those that answer does. */
  leader(): Promise<EtcdMember>;
  /** All keys that begin so, in their order, by the word of the whole cluster. */
  keys(prefix: string, member?: EtcdMember): Promise<readonly EtcdKey[]>;
  put(key: string, value: string): Promise<void>;
  remove(key: string): Promise<void>;
  /** Forgets the history up to now. */
  compact(): Promise<void>;
  /** A copy of what all members have now. */
  snapshot(): Promise<EtcdSnapshot>;
  /** Makes it what it was, revisions included: all members are killed and start over the copy. */
  restore(snapshot: EtcdSnapshot): Promise<void>;
}

/** What clients need, as PEM. */
export interface EtcdClusterTls extends Certificate {
  readonly caPem: string;
}

const READY_MS_MAX = 30_000;
const ANSWER_MS_MAX = 10_000;

/** Starts the members side by side and waits until all of them answer. */
export async function startEtcdCluster(options: EtcdClusterOptions): Promise<EtcdCluster> {
  const { host } = options;
  const place = host === undefined ? await createLoopbackPlace() : hostPlace(host);
  try {
    const tls = options.tls === true ? await writeCertificates(place) : undefined;
    const members = await makeMembers(place, options);
    await Promise.all(members.map((member) => member.start()));
    return furnish(place, members, tls);
  } catch (error) {
    await place[Symbol.asyncDispose]();
    throw error;
  }
}

async function writeCertificates(place: Place): Promise<EtcdClusterTls> {
  const authority = await createAuthority(place);
  const { caPem } = authority;
  const server = await authority.server([place.name], place.addresses);
  await place.writeFile(`${place.dir}/ca.crt`, caPem);
  await place.writeFile(`${place.dir}/server.crt`, server.certificatePem);
  await place.writeFile(`${place.dir}/server.key`, server.keyPem);
  return { caPem, ...(await authority.client("fairlead", [])) };
}

async function makeMembers(
  place: Place,
  { program, members: count = 1, tls = false }: EtcdClusterOptions,
): Promise<readonly EtcdMember[]> {
  const [address] = place.addresses;
  const names = Array.from({ length: count }, (_, index) => `etcd-${index + 1}`);
  const uses = ["client", "gateway", "peer"] as const;
  const wanted = names.flatMap((name) => uses.map((use) => `${name} ${use}`));
  const usual = wanted.map((use, index): [string, number] => [use, USUAL_PORTS.etcd + index]);
  const ports = await place.ports(Object.fromEntries(usual));
  const at = (key: string): string => `${address}:${ports[key] ?? 0}`;
  const all = names.map((name) => `${name}=http://${at(`${name} peer`)}`).join(",");
  const secure = ["--cert-file=server.crt", "--key-file=server.key", "--trusted-ca-file=ca.crt"];
  const make = async (name: string): Promise<EtcdMember> => {
    const url = `${tls ? "https" : "http"}://${at(`${name} client`)}`;
    const [plain, peer] = [`http://${at(`${name} gateway`)}`, `http://${at(`${name} peer`)}`];
    const data = `${place.dir}/${name}`;
    const args = [
      `--name=${name}`,
      `--data-dir=${data}`,
      `--listen-client-urls=${url},${plain}`,
      `--advertise-client-urls=${url},${plain}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=${all}`,
      ...(tls ? ["--client-cert-auth", ...secure] : []),
    ];
    return {
      url,
      gateway: await place.way(ports[`${name} gateway`] ?? 0),
      data,
      ...createClusterProgram({
        name,
        start: () => place.start(program, args),
        ready: async (running) => void (await running.waitForLine(ETCD_ANSWERS, READY_MS_MAX)),
      }),
    };
  };
  return Promise.all(names.map(make));
}

function furnish(
  place: Place,
  members: readonly EtcdMember[],
  tls: EtcdClusterTls | undefined,
): EtcdCluster {
  const agent = new Agent({ keepAlive: true });
  const copies = createEtcdCopies(
    place,
    members.map((etcd) => ({ etcd, data: etcd.data })),
  );
  const running = (): EtcdMember => {
    const member = members.find((one) => one.isRunning());
    if (member === undefined) throw labError("GONE", "no member of etcd runs");
    return member;
  };
  const ask: EtcdCluster["ask"] = (path, body, member = running()) =>
    post({ agent, way: member.gateway, path, body });
  return {
    members,
    urls: members.map((member) => member.url),
    tls,
    ask,
    leader: () => findLeader(members, ask),
    keys: async (prefix, member) => {
      const range = { key: encode(prefix), range_end: encode(`${prefix}\u007f`) };
      const { kvs = [] } = (await ask("/v3/kv/range", range, member)) as {
        kvs?: readonly RawKey[];
      };
      return kvs.map(({ key, value = "" }) => ({ key: decode(key), value: decode(value) }));
    },
    put: async (key, value) => {
      await ask("/v3/kv/put", { key: encode(key), value: encode(value) });
    },
    remove: async (key) => {
      await ask("/v3/kv/deleterange", { key: encode(key) });
    },
    compact: async () => {
      const { header } = (await ask("/v3/kv/range", { key: encode("/") })) as {
        readonly header: { readonly revision: string };
      };
      await ask("/v3/kv/compaction", { revision: header.revision, physical: true });
    },
    snapshot: () => copies.take(),
    restore: (snapshot) => restore(members, copies, snapshot),
    [Symbol.asyncDispose]: async () => {
      agent.destroy();
      try {
        await Promise.all(members.map((member) => member.kill()));
      } finally {
        await place[Symbol.asyncDispose]();
      }
    },
  };
}

async function restore(
  members: readonly EtcdMember[],
  copies: EtcdCopies,
  snapshot: EtcdSnapshot,
): Promise<void> {
  await Promise.all(members.map((member) => member.kill()));
  await copies.putBack(snapshot);
  await Promise.all(members.map((member) => member.start()));
}

interface RawKey {
  readonly key: string;
  readonly value?: string;
}

async function findLeader(
  members: readonly EtcdMember[],
  ask: EtcdCluster["ask"],
): Promise<EtcdMember> {
  for (const member of members) {
    if (!member.isRunning()) continue;
    const status = (await ask("/v3/maintenance/status", {}, member)) as {
      readonly header: { readonly member_id: string };
      readonly leader?: string;
    };
    if (status.leader === status.header.member_id) return member;
  }
  throw labError("NO_ANSWER", "no member of etcd leads");
}

/** A question to a member's gateway. */
interface Question {
  readonly agent: Agent;
  readonly way: Way;
  readonly path: string;
  readonly body: object;
}

function post({ agent, way, path, body }: Question): Promise<Record<string, unknown>> {
  const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
  const fail = (error: unknown): void =>
    reject(labError("NO_ANSWER", `etcd gave no answer to ${path}`, error));
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  const where = way.kind === "unix" ? { socketPath: way.path } : { host: way.host, port: way.port };
  const asking = request({ ...where, path, method: "POST", agent, signal }, (answer) => {
    let text = "";
    answer.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    answer.on("error", fail);
    answer.once("end", () => {
      if (answer.statusCode !== 200) fail(new Error(text));
      else resolve(JSON.parse(text) as Record<string, unknown>);
    });
  });
  asking.on("error", fail);
  asking.end(JSON.stringify(body));
  return promise;
}

function encode(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

function decode(text: string): string {
  return Buffer.from(text, "base64").toString("utf8");
}
