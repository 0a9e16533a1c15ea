// What goes into client-node and what comes out of it, for one look: certificates and token in, the
// options of a request out, made small and checked. Given values; the token file is read here.

import type { OutgoingHttpHeaders } from "node:http";
import type { RequestOptions } from "node:https";
import { describeError, isEdgeError } from "@fairlead/runtime";
import type { Cluster, User } from "#client-node";
import type { AccessConfig } from "./access-config.ts";
import { accessError } from "./access-error.ts";
import type { PemTexts } from "./pem-material.ts";
import { quotePath, readTextFile } from "./read-file.ts";

/** Options of a request whose headers are a record, as they are here always. */
export interface RequestParts extends RequestOptions {
  headers: OutgoingHttpHeaders;
}

/** Cluster and user as client-node takes them. Throws CREDENTIALS. */
export function withMaterial(
  config: AccessConfig,
  texts: PemTexts,
): { readonly cluster: Cluster; readonly user: User } {
  const { cluster, user, tokenFile } = config;
  const token = tokenFile === undefined ? user.token?.trim() : readToken(tokenFile);
  return {
    cluster: { ...cluster, caData: toBase64(texts.ca) },
    user: {
      ...user,
      token,
      certData: toBase64(texts.certificate),
      keyData: toBase64(texts.key),
    },
  };
}

/** Only what a request needs, with texts for PEM: an agent makes its key of them. */
export function requestParts(applied: RequestParts, config: AccessConfig): RequestParts {
  const { agent, auth, ca, cert, key, servername, rejectUnauthorized } = applied;
  const tls = {
    ca: toText(ca),
    cert: toText(cert),
    key: toText(key),
    servername,
    rejectUnauthorized,
  };
  const parts = Object.entries({ agent, auth, ...(config.server.startsWith("https:") ? tls : {}) });
  const headers = { ...applied.headers, ...config.headers };
  for (const [name, value] of Object.entries(headers)) checkHeader(name, value, config);
  return { ...Object.fromEntries(parts.filter(([, value]) => value !== undefined)), headers };
}

function checkHeader(name: string, value: unknown, config: AccessConfig): void {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  // Node would throw when the request is made, and with the user's name for it, not ours.
  const isGood = values.every((each) => typeof each === "string" && /^[ -~]*$/u.test(each));
  if (isGood) return;
  const why = `has characters that ${name} cannot carry`;
  throw accessError("CREDENTIALS", `user "${config.user.name}" of ${config.context} ${why}`);
}

function readToken(path: string): string {
  try {
    const token = readTextFile("token file", path).trim();
    if (token !== "") return token;
  } catch (error) {
    const isTransient = isEdgeError(error, "NOT_FOUND") || (isEdgeError(error) && error.retryable);
    throw accessError("CREDENTIALS", describeError(error), isTransient);
  }
  throw accessError("CREDENTIALS", `token file ${quotePath(path)} is empty`, true);
}

function toBase64(pem: string | undefined): string | undefined {
  return pem === undefined ? undefined : Buffer.from(pem).toString("base64");
}

function toText(pem: unknown): string | undefined {
  if (Buffer.isBuffer(pem)) return pem.toString("utf8");
  return typeof pem === "string" ? pem : undefined;
}
