// Who may use a cluster, and by what each is known: tokens for those who are named at the start, as
// the API server reads its file of tokens once, and certificates for all others. Given the names.

import { randomUUID } from "node:crypto";
import { labError } from "../lab-error.ts";
import type { Credentials } from "./kubeconfig.ts";

/** A user with the groups that RBAC knows. */
export interface ClusterUser {
  readonly name: string;
  readonly groups?: readonly string[];
}

/** May do everything. */
export const ADMIN = "admin";
/** The controller manager, as the audit log has it. */
export const CONTROLLER_MANAGER = "system:kube-controller-manager";

/** The users of the file of tokens. */
export interface TokenUsers {
  /** The file's text. */
  readonly file: string;
  /** By what the user is known. One who is not in the file is a bug of the caller. */
  credentialsOf(name: string): Credentials;
}

/** Makes up tokens for these users and for those that every cluster has. */
export function createTokenUsers(users: readonly ClusterUser[]): TokenUsers {
  const masters = [ADMIN, CONTROLLER_MANAGER].map((name) => ({ name, groups: ["system:masters"] }));
  const tokens = new Map<string, string>();
  const lines = [...masters, ...users].map(({ name, groups = [] }) => {
    const token = randomUUID();
    tokens.set(name, token);
    return `${token},${name},${name},"${groups.join(",")}"\n`;
  });
  return {
    file: lines.join(""),
    credentialsOf: (name) => {
      const token = tokens.get(name);
      if (token === undefined) throw labError("GONE", `there is no user ${name} with a token`);
      return { kind: "token", token };
    },
  };
}
