// The text of status files: what people and scripts read beside their manifests. Pure. Everything
// is written by the YAML library, so no text of a user's can become structure.

import { type Claim, type Finding, REASONS, type Remark, type Verdict } from "@fairlead/model";
import { stringify } from "yaml";

import { STATUS_HEADER } from "../../folder/own-status.ts";

/** Name of the file of findings. */
export const FINDINGS_FILE = "findings.yaml";
/** Name of the file that is there while this controller does not lead. */
export const STANDBY_FILE = "standby.yaml";

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

/** That the files beside it are of an earlier time. */
export function standbyText(identity: string): string {
  const message =
    "This controller does not lead and writes nothing here: files may be of an earlier time. " +
    "Ask who leads (fairlead status), and that one.";
  return write({ standby: { controller: identity, message } });
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
