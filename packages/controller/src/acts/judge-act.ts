// Whether an operator's act may be done. Pure: given the world as it will be planned for. A refusal
// names who holds what is asked for, and nothing is taken from anybody who is there.

import {
  type Address,
  type AgentName,
  type LeasedAddress,
  type World,
  assertNever,
  claimTitle,
  holdersText,
} from "@fairlead/model";

import type { Act, AllowedAct, DeniedAct } from "./act.ts";
import { judgeDrain, judgeUncordon } from "./judge-drain.ts";
import { judgeFreeze, judgeThaw } from "./judge-freeze.ts";
import { judgeImport } from "./judge-import.ts";
import { judgeMove, judgeRebalance } from "./judge-move.ts";

/** Judges one act. */
export function judgeAct(world: World, act: Act): AllowedAct | DeniedAct {
  switch (act.kind) {
    case "release":
      return judgeRelease(world, act.address);
    case "forget":
      return judgeForget(world, act.agent);
    case "drain":
      return judgeDrain(world, act.agent);
    case "uncordon":
      return judgeUncordon(world, act.agent);
    case "move":
      return judgeMove(world, act.address, act.to);
    case "rebalance":
      return judgeRebalance(world);
    case "freeze":
      return judgeFreeze(world);
    case "thaw":
      return judgeThaw(world);
    case "import":
      return judgeImport(world, act.leases);
    default:
      return assertNever(act, "unknown act");
  }
}

function judgeRelease(world: World, address: Address): AllowedAct | DeniedAct {
  const row = world.leases.get(address);
  if (row === undefined) {
    const why = `no lease is of ${address}: it is free, or lies in no pool`;
    return { kind: "not-found", why: [why], remedy: "Look at fairlead lease list." };
  }
  if (row.state.kind === "held") {
    const holders = row.owners.map(({ claim }) => claimTitle(claim)).join(", ");
    const why = `${address} is held by ${holdersText(row)}`;
    const remedy = `Delete ${holders}, or let it ask for another address.`;
    return { kind: "refused", why: [why], remedy };
  }
  const id = `release-${address}`;
  return {
    ...NOTHING,
    will: [releaseText(row)],
    did: [`${address} is free`],
    intents: [{ id, sinceMs: world.nowMs, kind: "release", address }],
  };
}

function releaseText({ address, lastClaim, state, sentTo }: LeasedAddress): string {
  const whose = `${address} was ${claimTitle(lastClaim)}'s`;
  if (state.kind !== "draining") return `${whose} and is quarantined; its quarantine ends now`;
  const names = sentTo.join(", ");
  return `${whose} and waits for ${names}; what ${names} may still have there is not waited for`;
}

function judgeForget(world: World, name: AgentName): AllowedAct | DeniedAct {
  const agent = world.agents.get(name);
  const waiting = [...world.leases.values()].filter(({ sentTo }) => sentTo.includes(name));
  const lanes = [...world.lanes.values()].filter(({ order }) => order.includes(name));
  if (agent === undefined && waiting.length === 0 && lanes.length === 0) {
    const why = `no agent is called ${name}, and no address waits for one of that name`;
    return { kind: "not-found", why: [why], remedy: "Look at fairlead agents." };
  }
  if (agent?.connected === true) {
    const why = `${name} is connected since its last hello: it is not powered off`;
    const remedy = `Power its host off, or stop it there with fairlead-agent stop --withdraw.`;
    return { kind: "refused", why: [why], remedy };
  }
  const counts = `${name} is named by ${waiting.length} addresses and ${lanes.length} lanes`;
  return {
    ...NOTHING,
    will: [`${counts}; nobody waits for it any more, and others take its place`],
    did: [`${name} is forgotten; when it connects again it is a new agent`],
    intents: [{ id: `forget-${name}`, sinceMs: world.nowMs, kind: "forget", agent: name }],
    forgets: name,
  };
}

const NOTHING = { kind: "allowed", intents: [], leases: [], owners: [] } as const;
