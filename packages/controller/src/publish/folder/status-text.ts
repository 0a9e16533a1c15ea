// The text of status files: what people and scripts read beside their manifests. Pure. Everything
// is written by the YAML library, so no text of a user's can become structure.

import { createHash } from "node:crypto";

import { type Claim, type Finding, REASONS, type Remark, type Verdict } from "@fairlead/model";
import { stringify } from "yaml";

/** First line of every file of ours: files without it are never touched. */
export const STATUS_HEADER = "# Written by Fairlead; what you change here is overwritten.";
/** Name of the file of findings. */
export const FINDINGS_FILE = "findings.yaml";
/** Longest file name without its suffix: below 255 bytes with a temporary suffix. */
const NAME_CHARACTERS_MAX = 200;

/** `NAMESPACE.NAME.yaml`; a name too long for a file is cut and ends in a hash of the whole. */
export function statusFileName(claim: Pick<Claim, "kind" | "namespace" | "name">): string {
  const kind = claim.kind === "service" ? "" : `${claim.kind}.`;
  const whole = `${kind}${claim.namespace}.${claim.name}`;
  if (whole.length <= NAME_CHARACTERS_MAX) return `${whole}.yaml`;
  const hash = createHash("sha256").update(whole).digest("hex").slice(0, 16);
  return `${whole.slice(0, NAME_CHARACTERS_MAX - 17)}-${hash}.yaml`;
}

/** The status of one claim, in the form of a Kubernetes status with a part of our own. */
export function statusText(claim: Claim, verdict: Verdict): string {
  const published = verdict.addresses.filter((address) => address.published);
  const ports = claim.listeners.map(({ port, protocol }) => ({
    port,
    protocol: protocol.toUpperCase(),
  }));
  return write({
    apiVersion: "v1",
    kind: claim.kind === "service" ? "Service" : claim.kind,
    metadata: { namespace: claim.namespace, name: claim.name },
    status: {
      loadBalancer: {
        ingress: published.map(({ address }) => ({ ip: address, ipMode: "Proxy", ports })),
      },
      conditions: verdict.conditions.map(({ type, status, reason, message }) => ({
        type,
        status,
        reason,
        message,
      })),
    },
    fairlead: {
      state: verdict.state,
      ...(verdict.main === undefined ? {} : remarkFields(verdict.main)),
      addresses: verdict.addresses.map(({ address, published: isPublished, holder }) => ({
        address,
        published: isPublished,
        ...(holder === undefined ? {} : { holder }),
      })),
      remarks: verdict.remarks.map(remarkFields),
      origin: claim.origin,
    },
  });
}

/** All findings, in the order given. */
export function findingsText(findings: readonly Finding[]): string {
  return write({
    findings: findings.map((finding) => ({
      subject: finding.subject,
      name: finding.name,
      ...remarkFields(finding),
    })),
  });
}

/** The four parts of every error: what, why, what to do, and a code. */
function remarkFields({ reason, detail }: Remark): Readonly<Record<string, string>> {
  const { code, title, remedy } = REASONS[reason];
  return { reason, code, message: title, detail, remedy };
}

function write(value: unknown): string {
  // Old parsers read `yes` and `on` as booleans, so such texts are quoted too.
  const text = stringify(value, { lineWidth: 0, compat: "yaml-1.1", aliasDuplicateObjects: false });
  return `${STATUS_HEADER}\n${text}`;
}
