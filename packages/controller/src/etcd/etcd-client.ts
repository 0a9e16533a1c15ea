// A connection to an etcd of several members, in the few calls that stores, elections and sources
// need. Given how it is reached. It asks one member at a time and goes to the next when that does
// not answer. A transaction may be sent twice: whoever makes it must be able to tell.

import type { Clock } from "@fairlead/runtime";
import type { Etcd3, IOptions } from "etcd3";

import { type EtcdAccess, etcdName } from "./etcd-access.ts";
import {
  type EtcdError,
  type EtcdErrorCode,
  etcdError,
  makeEtcdError,
  membersError,
} from "./etcd-errors.ts";
import { type EtcdEvents, type EtcdWatch, openEtcdWatch } from "./etcd-watch.ts";
import { askToKeep } from "./keep-alive.ts";
import { loadEtcd3 } from "./load-etcd3.ts";
import { oneTryOptions } from "./one-try.ts";
import { type EtcdTransaction, type EtcdTransactionResult, runTransaction } from "./transaction.ts";
import { type CallLimits, type EtcdList, listPrefix } from "./list-prefix.ts";

/** One try at one member has this long, in ms: a slow disk answers within it. */
const TRY_MS_DEFAULT = 1500;
/** A request goes to at least so many members, the same one again where there is one only. */
const TRIES_MIN = 2;
const TRIES_MAX = 3;

/** What another member may do better. */
const NEXT: ReadonlySet<EtcdErrorCode> = new Set(["UNREACHABLE", "TIMEOUT", "SERVER"]);

/** How the client is made. */
export interface EtcdClientOptions {
  readonly access: EtcdAccess;
  readonly clock: Clock;
  /** How long one member has for an answer, or for a page of a long one, in ms. Default: 1500. */
  readonly tryMs?: number;
}

/** A connection to etcd. All calls reject with an `EtcdError`. */
export interface EtcdClient extends Disposable {
  /** For people: `etcd at http://h:2379`. */
  readonly name: string;
  /** All keys that begin so, at one moment that is no older than the call. */
  list(prefix: string): Promise<EtcdList>;
  /** All of it happens, or none. One that timed out may have happened, or happen later. */
  transact(transaction: EtcdTransaction): Promise<EtcdTransactionResult>;
  /** A lease that ends by itself after `seconds` (at least 1) without `keepLease`. */
  grantLease(seconds: number): Promise<string>;
  /** Lets a lease live on for its whole time. Rejects with LEASE_GONE when it ended. */
  keepLease(lease: string): Promise<void>;
  /** Ends a lease with all its keys at once; one that is gone is no failure. */
  revokeLease(lease: string): Promise<void>;
  /** Follows all keys that begin so, from a revision on, until it ends or is disposed. */
  watch(options: EtcdWatchOptions): Promise<EtcdWatch>;
}

/** What is followed. */
export interface EtcdWatchOptions extends EtcdEvents {
  readonly prefix: string;
  /** The first revision that is told: one above that of a list. */
  readonly revision: bigint;
}

/** Makes the client; nothing is connected before the first call. */
export function createEtcdClient(options: EtcdClientOptions): EtcdClient {
  const { access, clock, tryMs = TRY_MS_DEFAULT } = options;
  const name = etcdName(access);
  const { Etcd3: MemberClient } = loadEtcd3();
  const limits = (): CallLimits => ({ deadline: clock.wallMs() + tryMs });
  // A login is asked for outside the call that needs it: it has a deadline of its own.
  const members = access.urls.map((url) => new MemberClient(memberOptions(access, url, limits)));
  const tries = Math.min(TRIES_MAX, Math.max(TRIES_MIN, members.length));
  let current = 0;
  let isClosed = false;

  async function call<T>(
    operation: string,
    run: (etcd: Etcd3, call: CallLimits) => Promise<T>,
  ): Promise<T> {
    const failed = new Map<string, EtcdError>();
    for (let left = tries; ; left -= 1) {
      if (isClosed) throw makeEtcdError({ code: "CLOSED", message: `${name} is closed` });
      const asked = current;
      const etcd = members[asked % members.length];
      try {
        if (etcd === undefined) throw new RangeError("an etcd has members");
        return await run(etcd, limits());
      } catch (error) {
        const mapped = etcdError(error, `cannot ${operation} ${name}`);
        failed.set(access.urls[asked % members.length] ?? name, mapped);
        // Calls that ran side by side move on once.
        if (NEXT.has(mapped.code) && current === asked) current = (asked + 1) % members.length;
        if (!NEXT.has(mapped.code) || left <= 1 || isClosed) {
          throw membersError(mapped, failed);
        }
      }
    }
  }

  return {
    name,
    list: (prefix) => call("read", (etcd) => listPrefix(etcd.kv, prefix, limits)),
    transact: (wanted) => call("write", (etcd, how) => runTransaction(etcd.kv, wanted, how)),
    grantLease: (seconds) =>
      call("take a lease of", async (etcd, how) => {
        const { ID } = await etcd.leaseClient.leaseGrant({ TTL: seconds }, how);
        return ID;
      }),
    keepLease: (lease) => call("renew a lease of", (etcd, how) => askToKeep(etcd, lease, how)),
    revokeLease: async (lease) => {
      try {
        await call("end a lease of", (etcd, how) =>
          etcd.leaseClient.leaseRevoke({ ID: lease }, how),
        );
      } catch (error) {
        const { code } = etcdError(error, "");
        if (code !== "LEASE_GONE") throw error;
      }
    },
    watch: ({ prefix, revision, ...events }) =>
      call("watch", (etcd) =>
        openEtcdWatch(etcd, { prefix, revision, name, tryMs, clock, events }),
      ),
    [Symbol.dispose]: () => {
      isClosed = true;
      for (const etcd of members) etcd.close();
    },
  };
}

function memberOptions({ user, tls }: EtcdAccess, url: string, login: () => CallLimits): IOptions {
  const auth = user && { username: user.name, password: user.password, callOptions: login };
  return {
    hosts: url,
    ...oneTryOptions(),
    ...(auth === undefined ? {} : { auth }),
    ...(tls === undefined ? {} : { credentials: credentialsOf(tls) }),
  };
}

function credentialsOf(tls: NonNullable<EtcdAccess["tls"]>): NonNullable<IOptions["credentials"]> {
  const { caPem, certificatePem, keyPem } = tls;
  return {
    // grpc-js takes the machine's authorities when there are none.
    rootCertificate: Buffer.from(caPem ?? ""),
    ...(keyPem === undefined ? {} : { privateKey: Buffer.from(keyPem) }),
    ...(certificatePem === undefined ? {} : { certChain: Buffer.from(certificatePem) }),
  };
}
