// Why a file is not handed to keepalived, or was not taken by it, as a remark. Given the text or
// keepalived's words; pure. Words are shortened and escaped, so that a log can show them.

import type { Remark } from "@fairlead/model";
import { escapeBounded } from "@fairlead/runtime";
import { countVips, type FileInstance } from "./file-addresses.ts";

const DETAIL_CHARACTERS_MAX = 1024;
const COMPLAINTS_MAX = 5;

/** `(/run/x/candidate.conf: Line 22) Unknown keyword 'badword'`; the same is said several times. */
const COMPLAINT = /^\((?:[^)]*: )?Line \d+\) /;

/** keepalived's own complaints about a file, each once. */
export function keepalivedRefusal(words: string, otherwise: string): Remark {
  const lines = words.split("\n").filter((line) => line.trim() !== "");
  const complaints = lines
    .filter((line) => COMPLAINT.test(line))
    .map((line) => line.replace(/^\([^)]*: Line/, "(Line"));
  const said = [...new Set(complaints.length > 0 ? complaints : lines.slice(-1))];
  const detail = said.length > 0 ? said.slice(0, COMPLAINTS_MAX).join("; ") : otherwise;
  return configRefused(`keepalived: ${detail}`);
}

/** What is wrong with a file before keepalived sees it; undefined when it may go on. */
export function fileProblem(
  instances: readonly FileInstance[],
  vipCount: number,
): Remark | undefined {
  const found = countVips(instances);
  if (found !== vipCount) {
    return configRefused(`the file lists ${found} VIPs and the plan ${vipCount}`);
  }
  for (const instance of instances) {
    if (instance.anchors.length === 1) continue;
    const count = instance.anchors.length;
    return configRefused(`instance ${instance.name} has ${count} anchors and needs one`);
  }
  return undefined;
}

/** keepalived did not say that it took the file. */
export function notTaken(words: readonly string[], ms: number): Remark {
  const failed = words.findLast((line) =>
    /fail|error|cannot|couldn't|unable|already running/i.test(line),
  );
  return configRefused(`keepalived: ${failed ?? `it did not take the file within ${ms} ms`}`);
}

function configRefused(detail: string): Remark {
  return { reason: "ConfigRefused", detail: escapeBounded(detail, DETAIL_CHARACTERS_MAX) };
}
