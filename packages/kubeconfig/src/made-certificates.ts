// For tests: an authority made by openssl on the spot, and certificates of it. Given a folder that
// the test removes. Every call makes new keys.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate with its key, both in PEM. */
export interface MadeCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate is for. */
export interface IssueOptions {
  /** The common name, and the DNS name of a server. */
  readonly name: string;
  /** Default 2. -1 has expired a day ago. */
  readonly days?: number;
}

/** An authority. */
export interface MadeAuthority {
  /** Its own certificate in PEM. */
  readonly ca: string;
  /** Issues a certificate; 127.0.0.1 is among its names. */
  issue(options: IssueOptions): MadeCertificate;
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Makes an authority below `folder`. */
export function makeAuthority(folder: string): MadeAuthority {
  const cwd = mkdtempSync(join(folder, "authority-"));
  const openssl = (...args: readonly string[]): void => {
    execFileSync("openssl", args, { cwd, stdio: "pipe" });
  };
  const read = (name: string): string => readFileSync(join(cwd, name), "utf8");
  const own = ["-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=authority", "-days", "2"];
  openssl("req", "-x509", ...NEW_KEY, ...own);
  return {
    ca: read("ca.crt"),
    issue: ({ name, days = 2 }) => {
      const names = `subjectAltName=DNS:${name},IP:127.0.0.1`;
      const request = ["-keyout", "key", "-out", "csr", "-subj", `/CN=${name}`, "-addext", names];
      openssl("req", ...NEW_KEY, ...request);
      const by = [
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-copy_extensions",
        "copy",
      ];
      openssl("x509", "-req", "-in", "csr", ...by, "-days", String(days), "-out", "crt");
      return { certificate: read("crt"), key: read("key") };
    },
  };
}
