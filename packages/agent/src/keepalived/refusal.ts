// Why a file is not handed to keepalived, or was not taken by it, as a remark. Given the text or
// keepalived's words; pure. Words are shortened and escaped, so that a log can show them.

import type { Remark } from "@fairlead/model";
import { escapeBounded } from "@fairlead/runtime";
import { countVips, type FileInstance, readInstances } from "./file-addresses.ts";

const DETAIL_CHARACTERS_MAX = 1024;
const COMPLAINTS_MAX = 5;

/** `(/run/x/candidate.conf: Line 22) Unknown keyword 'badword'`; the same is said several times. */
const COMPLAINT = /^\((?:[^)]*: )?Line (\d+)\) (.*)$/;

/**
 * keepalived's own complaints about a file, each once, with the file's lasting name, the line and
 * the lane that it stands in.
 * @param text the file.
 */
export function keepalivedRefusal(words: string, text: string, otherwise: string): Remark {
  const lines = words.split("\n").filter((line) => line.trim() !== "");
  const complaints = lines.flatMap((line) => {
    const [, number, complaint] = COMPLAINT.exec(line) ?? [];
    if (number === undefined || complaint === undefined) return [];
    return [`${placeOf(text, Number(number))}: ${complaint}`];
  });
  const said = [...new Set(complaints.length > 0 ? complaints : lines.slice(-1))];
  const detail = said.length > 0 ? said.slice(0, COMPLAINTS_MAX).join("; ") : otherwise;
  return configRefused(`keepalived: ${detail}`);
}

/** `keepalived.conf:22 in lane-192.0.2.0-24-51, 192.0.2.100`. */
function placeOf(text: string, number: number): string {
  const instances = readInstances(text.split("\n").slice(0, number).join("\n"));
  const isInside = /^(?:\s|\})/.test(text.split("\n")[number - 1] ?? "");
  const instance = isInside ? instances.at(-1) : undefined;
  if (instance === undefined) return `keepalived.conf:${number}`;
  const vip = instance.vips.find(({ line }) => line === number - 1);
  const address = vip === undefined ? "" : `, ${vip.address}`;
  return `keepalived.conf:${number} in ${instance.name}${address}`;
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
  return { reason: "ConfigRejected", detail: escapeBounded(detail, DETAIL_CHARACTERS_MAX) };
}
