// What other hosts see of an address that one of ours holds. Given what successors reported when
// they had asked the segment; a word from before the holder began says nothing of it. Whatever is
// seen, it is told, and nothing is withdrawn by it.

import {
  type Address,
  type AgentName,
  type AgentView,
  type Remark,
  compareText,
  vipName,
} from "@fairlead/model";

import type { Witness } from "./witness.ts";

/** What is looked at. */
export interface SightedOptions {
  readonly address: Address;
  /** Those that say they hold it, the most believable first. */
  readonly holders: readonly Witness[];
  /** Agents that could hold it. */
  readonly asked: readonly Witness[];
}

/** What one agent saw when it asked for an address of another one. */
interface Sight {
  readonly agent: AgentName;
  /** Empty: nobody answered. */
  readonly mac: string;
}

/** Why the holder is in doubt by what others see; undefined: it is not, or nobody has asked. */
export function doubtOf(options: SightedOptions): Remark | undefined {
  const [holder] = options.holders;
  if (holder?.view.connected !== true) return undefined;
  const macs = new Set(options.holders.flatMap(({ view }) => macsOf(view)));
  const seen = sightsOf(options, holder.view);
  if (seen.length === 0 || macs.size === 0) return undefined;
  const { address, asked } = options;
  const { name } = holder.view;
  const wrong = seen.find(({ mac }) => mac !== "" && !macs.has(mac));
  if (wrong !== undefined) {
    const owner = asked.find(({ view }) => macsOf(view).includes(wrong.mac))?.view.name;
    const who = owner === undefined ? wrong.mac : `${owner} (${wrong.mac})`;
    const detail = `${who} answers for ${address} instead of ${name}, as ${wrong.agent} sees`;
    return { reason: "HolderWrong", detail };
  }
  if (seen.some(({ mac }) => mac !== "")) return undefined;
  const names = seen.map(({ agent }) => agent).join(" and ");
  const detail = `${names} asked for ${address}, and ${name} did not answer`;
  return { reason: "HolderUnseen", detail };
}

/** Of agents whose word is of now: sorted by name. */
function sightsOf({ address, asked }: SightedOptions, holder: AgentView): readonly Sight[] {
  const sinceMs = holder.heldSinceMs.get(address) ?? 0;
  const found: Sight[] = [];
  for (const { view } of asked) {
    if (!view.connected || view.name === holder.name) continue;
    if ((view.seenSinceMs?.get(address) ?? 0) < sinceMs) continue;
    const said = view.report?.resources.get(vipName(address));
    if (said === undefined || said.step === "serving" || said.problem !== undefined) continue;
    const proof = said.evidence.find(({ kind }) => kind === "neighbour");
    if (proof?.kind === "neighbour") found.push({ agent: view.name, mac: proof.mac });
  }
  return found.sort((a, b) => compareText(a.agent, b.agent));
}

function macsOf({ hello }: AgentView): readonly string[] {
  return hello.links.map(({ mac }) => mac).filter((mac) => mac !== "");
}

/** Whether the agent's devices have the same hardware addresses in both. */
export function hasSameMacs(a: AgentView, b: AgentView): boolean {
  return a.hello.links === b.hello.links || macsOf(a).join() === macsOf(b).join();
}
