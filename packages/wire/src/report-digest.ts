// The digest of a report, by which both ends of a new stream see that they mean the same one. It is
// computed over what travels, so that a receiver who folded differences gets the sender's digest.

import { createHash } from "node:crypto";
import { toBinary } from "@bufbuild/protobuf";
import { type AgentReport, compareText } from "@fairlead/model";
import { ReportSchema } from "@fairlead/proto";
import { REVISION_BYTES } from "./address-bytes.ts";
import { encodeReport } from "./report-codec.ts";

/** The first 16 bytes of SHA-256 in hex. The sequence number is left out. */
export function reportDigest(report: AgentReport): string {
  const message = encodeReport({ ...report, sequence: 0 });
  message.resources.sort((a, b) => compareText(a.name, b.name));
  const digest = createHash("sha256").update(toBinary(ReportSchema, message)).digest();
  return digest.subarray(0, REVISION_BYTES).toString("hex");
}
