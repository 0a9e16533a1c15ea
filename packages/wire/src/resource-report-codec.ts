// What an agent proves of one resource, and its problems, to messages and back. Given what an agent
// says; words of daemons are made safe to print here, on both sides.

import { create } from "@bufbuild/protobuf";
import {
  assertNever,
  type Evidence,
  parseAgentName,
  parseDeviceName,
  type Remark,
  type ResourceReport,
  type Revision,
} from "@fairlead/model";
import * as pb from "@fairlead/proto";
import { revisionFromBytes, revisionToBytes } from "./address-bytes.ts";
import {
  cleanDetail,
  complete,
  type Decoded,
  decodeAll,
  ok,
  reasonNamed,
  refused,
} from "./decoded.ts";
import { readMac } from "./hello-codec.ts";
import { parseResourceName } from "./resource-name.ts";
import { STEPS } from "./words.ts";

/** A problem of a resource in one revision. */
export type ResourceProblem = Remark & { readonly revision: Revision };

/** Makes the message. */
export function encodeResourceReport(report: ResourceReport): pb.ResourceReport {
  return create(pb.ResourceReportSchema, {
    name: report.name,
    revision: revisionToBytes(report.revision),
    step: STEPS.number(report.step),
    evidence: report.evidence.map(encodeEvidence),
    ...(report.problem === undefined
      ? {}
      : { problem: encodeProblem(report.problem, report.problem.revision) }),
  });
}

/** Reads the message. */
export function decodeResourceReport(message: pb.ResourceReport): Decoded<ResourceReport> {
  const evidence = decodeAll(message.evidence, decodeEvidence);
  if (evidence.kind === "refused") return evidence;
  const fields = complete("resource report", {
    name: parseResourceName(message.name)?.name,
    revision: revisionFromBytes(message.revision),
    step: STEPS.word(message.step),
    evidence: evidence.value,
  });
  if (fields.kind === "refused" || message.problem === undefined) return fields;
  const problem = decodeProblem(message.problem);
  if (problem.kind === "refused") return problem;
  return ok({ ...fields.value, problem: problem.value });
}

/** Makes the message of a problem; without a revision it belongs to no resource. */
export function encodeProblem(remark: Remark, revision?: Revision): pb.Problem {
  return create(pb.ProblemSchema, {
    reason: remark.reason,
    detail: cleanDetail(remark.detail),
    revision: revisionToBytes(revision),
  });
}

/** Reads the problem of a resource. */
export function decodeProblem(message: pb.Problem): Decoded<ResourceProblem> {
  return complete("problem", {
    reason: reasonNamed(message.reason),
    detail: cleanDetail(message.detail),
    revision: revisionFromBytes(message.revision),
  });
}

/** Whether both say the same of a resource. */
export function isSameResourceReport(a: ResourceReport, b: ResourceReport): boolean {
  return (
    a === b ||
    (a.revision === b.revision &&
      a.step === b.step &&
      a.problem?.revision === b.problem?.revision &&
      a.problem?.reason === b.problem?.reason &&
      a.problem?.detail === b.problem?.detail &&
      a.evidence.length === b.evidence.length &&
      a.evidence.every((one, i) => isSameEvidence(one, b.evidence[i])))
  );
}

function encodeEvidence(evidence: Evidence): pb.Evidence {
  switch (evidence.kind) {
    case "kernel-address":
      return create(pb.EvidenceSchema, { kind: { case: "kernelLink", value: evidence.link } });
    case "generation":
      return create(pb.EvidenceSchema, { kind: { case: "answering", value: true } });
    case "neighbour": {
      const value = create(pb.NeighbourEvidenceSchema, {
        mac: evidence.mac,
        seenBy: evidence.seenBy,
      });
      return create(pb.EvidenceSchema, { kind: { case: "neighbour", value } });
    }
    default:
      return assertNever(evidence, "kinds of evidence");
  }
}

function decodeEvidence({ kind }: pb.Evidence): Decoded<Evidence> {
  switch (kind.case) {
    case "kernelLink": {
      const link = parseDeviceName(kind.value);
      return link === undefined
        ? refused("evidence: bad link")
        : ok({ kind: "kernel-address", link });
    }
    case "answering":
      return kind.value ? ok({ kind: "generation" }) : refused("evidence: of what does not answer");
    case "neighbour": {
      const fields = complete("evidence", {
        mac: readMac(kind.value.mac),
        seenBy: parseAgentName(kind.value.seenBy),
      });
      return fields.kind === "refused" ? fields : ok({ kind: "neighbour", ...fields.value });
    }
    default:
      return refused("evidence: of an unknown kind");
  }
}

function isSameEvidence(a: Evidence, b: Evidence | undefined): boolean {
  switch (a.kind) {
    case "kernel-address":
      return b?.kind === a.kind && b.link === a.link;
    case "generation":
      return b?.kind === a.kind;
    case "neighbour":
      return b?.kind === a.kind && b.mac === a.mac && b.seenBy === a.seenBy;
    default:
      return assertNever(a, "kinds of evidence");
  }
}
