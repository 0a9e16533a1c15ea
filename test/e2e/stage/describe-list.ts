// What a controller said last, in short lines, for the message of a failure. Given its answer; it
// judges nothing.

import type { ListJson } from "./asker.ts";

/** What the controller says, in short lines for the message of a failure. */
export function describeList(list: ListJson): string {
  const claims = list.claims.slice(0, 20).map((claim) => {
    const at = claim.addresses.map(({ address, holder }) => `${address}@${holder || "nobody"}`);
    const why = claim.main ?? claim.remarks[0];
    const reason = why === undefined ? "" : ` ${why.reason}: ${why.detail}`;
    return `  ${claim.namespace}/${claim.name} ${claim.state} ${at.join(",")}${reason}`;
  });
  const agents = list.agents.map(
    (agent) =>
      `  agent ${agent.name} ${agent.state} ${agent.sync} ${agent.vipsHeld}/${agent.vipsPlanned}` +
      ` ${agent.remarks.map(({ reason, detail }) => `${reason}: ${detail}`).join("; ")}`,
  );
  const findings = list.findings.map(
    ({ subject, name, remark }) => `  ${subject} ${name} ${remark?.reason}: ${remark?.detail}`,
  );
  return [...claims, ...agents, ...findings].join("\n");
}
