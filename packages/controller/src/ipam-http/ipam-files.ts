// The files by which one IPAM is trusted and asked: its CA and our token for it. Given one folder,
// in which the name of an IPAM's host is the name of a folder, and a pool whose name is that of a
// file: so whoever writes a pool can have no other file read, and no token sent for another pool or
// to anybody but the host that it was put there for. They are read for each request, and what is in
// them is never said.

import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { PoolName } from "@fairlead/model";
import { EdgeError, isLoopbackHost } from "@fairlead/runtime";

import type { IpamErrorCode } from "../registrar/ports.ts";

/** The names of the files in the folder of an IPAM's host. */
const CA_FILE = "ca.crt";
const TOKEN_FILE = "token";
/** Of one pool alone, before which its name stands. */
const POOL_TOKEN = `.${TOKEN_FILE}`;
/** Larger files are none of ours, in characters. */
const CHARACTERS_MAX = 256 * 1024;
/** A header takes no other characters, and an IPAM no longer token. */
const TOKEN = /^[\x21-\x7e]{1,7000}$/u;
/** A host's name that is the name of a folder, and never that of one above. */
const FOLDER = /^[a-z0-9][a-z0-9._-]*$/u;

/** How an IPAM is trusted and asked, as its files say now. */
export interface IpamFiles {
  /** Whom its certificate is of, in PEM. Absent: of those whom this host trusts. */
  readonly caPem?: string;
  /** Absent: it is asked without. */
  readonly token?: string;
  /** Where they are or would be, for people. */
  readonly caPath: string;
  readonly tokenPath: string;
}

/**
 * Reads them; the pool's own token comes before the one of all. Rejects with EdgeError UNREADABLE
 * where one is there and cannot be used.
 */
export async function readIpamFiles(dir: string, url: URL, pool: PoolName): Promise<IpamFiles> {
  const folder = folderOf(url);
  const caPath = join(dir, folder, CA_FILE);
  const sharedPath = join(dir, folder, TOKEN_FILE);
  if (!FOLDER.test(folder)) return { caPath, tokenPath: sharedPath };
  const ownPath = join(dir, folder, `${pool}${POOL_TOKEN}`);
  const [caPem, own] = await Promise.all([readOne(caPath), readOne(ownPath)]);
  if (caPem !== undefined) checkCa(caPem, caPath);
  const tokenPath = own === undefined ? sharedPath : ownPath;
  const token = (own ?? (await readOne(sharedPath)))?.trim();
  if (token !== undefined) checkToken(token, tokenPath, url);
  return {
    ...(caPem === undefined ? {} : { caPem }),
    ...(token === undefined ? {} : { token }),
    caPath,
    tokenPath,
  };
}

/** `ipam.example.net`, with another port `ipam.example.net_8443`; `2001-db8--1` of IPv6. */
function folderOf({ hostname, port }: URL): string {
  const name = hostname.replaceAll(/[[\]]/gu, "").replaceAll(":", "-");
  return port === "" ? name : `${name}_${port}`;
}

/** Node takes what holds no certificate for no authority, and says nothing of it. */
function checkCa(pem: string, path: string): void {
  try {
    void new X509Certificate(pem);
  } catch {
    throw unreadable(`${path} holds no certificate in PEM`);
  }
}

function checkToken(token: string, path: string, url: URL): void {
  if (!TOKEN.test(token)) {
    throw unreadable(`the token in ${path} cannot be used: one line of printable characters is`);
  }
  const host = url.hostname.replaceAll(/[[\]]/gu, "");
  if (url.protocol === "https:" || isLoopbackHost(host)) return;
  throw unreadable(`the token in ${path} is not sent in clear text: write the pool's url as https`);
}

async function readOne(path: string): Promise<string | undefined> {
  try {
    const text = await readFile(path, "utf8");
    if (text.length <= CHARACTERS_MAX) return text;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    // The names of a few pools are too long for a file of their own.
    if (["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(String(code))) return undefined;
    throw unreadable(`cannot read ${path}`, cause);
  }
  throw unreadable(`${path} is too large`);
}

function unreadable(message: string, cause?: unknown): EdgeError<IpamErrorCode> {
  return new EdgeError({ code: "UNREADABLE", message, retryable: true, cause });
}
