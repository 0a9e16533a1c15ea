// The headers of impersonation that client-node leaves out: groups, uid and extra fields. Given a
// user of a kubeconfig. Leaving them out would act with other rights than were asked for.

import type { AccessConfig } from "./access-config.ts";
import { accessError } from "./access-error.ts";
import { type Fields, isFields, textField } from "./parse-kubeconfig.ts";

/** The headers besides Impersonate-User, which client-node sets. */
export function impersonationHeaders(user: Fields, where: string): AccessConfig["headers"] {
  const headers: Record<string, string | string[]> = {};
  const uid = textField(user, "as-uid", where);
  if (uid !== undefined) headers["Impersonate-Uid"] = uid;
  const groups = textsField(user["as-groups"], "as-groups", where);
  if (groups.length > 0) headers["Impersonate-Group"] = groups;
  const extra = user["as-user-extra"] ?? {};
  if (!isFields(extra)) throw accessError("MALFORMED", `${where}: as-user-extra must be a mapping`);
  for (const [key, value] of Object.entries(extra)) {
    const name = `Impersonate-Extra-${encodeURIComponent(key)}`;
    headers[name] = textsField(value, "as-user-extra", where);
  }
  if (Object.keys(headers).length > 0 && textField(user, "as", where) === undefined) {
    throw accessError("MALFORMED", `${where} impersonates without a user: "as" is missing`);
  }
  return headers;
}

function textsField(value: unknown, key: string, where: string): string[] {
  if (value === undefined || value === null) return [];
  const isTexts = Array.isArray(value) && value.every((each) => typeof each === "string");
  if (isTexts) return value;
  throw accessError("MALFORMED", `${where}: ${key} must be a list of texts`);
}
