// Explains one subject: finds out what the text names and tells its chain. Pure. An address, then
// NAMESPACE/NAME, an agent, a name in the default namespace, a pool, what a finding is about, and
// last KIND/NAME, for a namespace may be called as a kind is.

import {
  type ClaimId,
  type ClaimKind,
  claimId,
  claimTitle,
  parseAddress,
  parseAgentName,
  parseClaimId,
} from "@fairlead/model";
import { nearestWord } from "@fairlead/runtime";
import { LinkState } from "@fairlead/wire";

import { poolsNamed } from "../../cluster-state.ts";
import type { ElectionView } from "../../ports.ts";
import type { AdminContext } from "./admin-context.ts";
import type { ExplainInit } from "./chain.ts";
import { explainUnasked } from "./cluster-links.ts";
import { explainAddress } from "./explain-address.ts";
import { explainAgent } from "./explain-agent.ts";
import { explainClaim, explainOrphan } from "./explain-claim.ts";
import { explainFinding, explainUnreadable } from "./explain-finding.ts";
import { explainPool } from "./explain-pool.ts";
import { standbyWords } from "./standby-words.ts";

/** A longer subject names nothing; the bound keeps the search for similar names cheap. */
const SUBJECT_CHARACTERS_MAX = 400;
/** A shorter fragment stands in too many names to be meant. */
const FRAGMENT_CHARACTERS_MIN = 3;
/** Most similar names that are told. */
const SIMILAR_MAX = 5;

const KINDS: readonly ClaimKind[] = ["service", "virtualip", "configmap", "ingress", "gateway"];

/** Answers Explain. */
export function explain(context: AdminContext, text: string): ExplainInit {
  const subject = text.trim();
  if (subject.length > SUBJECT_CHARACTERS_MAX) return { found: false };
  const { lead, plan, notReady } = context.view;
  if (!lead.leads) return standsBy(subject, lead);
  if (plan === undefined && notReady !== undefined) return beforePlan(context, subject, notReady);
  return (
    asAddress(context, subject) ??
    asClaim(context, subject) ??
    asAgent(context, subject) ??
    asClaim(context, `default/${subject}`) ??
    explainUnreadable(context, subject) ??
    asUnasked(context, subject) ??
    asPool(context, subject) ??
    explainFinding(context, subject) ??
    asKind(context, subject) ?? { found: false, similar: [...similarTo(context, subject)] }
  );
}

/** Whoever stands by knows nothing of what is served. */
function standsBy(subject: string, lead: ElectionView): ExplainInit {
  const { detail, remedy } = standbyWords(lead);
  const steps = [{ title: "Leader", state: LinkState.BROKEN, detail }];
  return { found: true, title: subject, steps, remedy };
}

/**
 * Before the first plan nothing is known of addresses, and what was not listed yet is not gone:
 * only what was seen is told of.
 */
function beforePlan(context: AdminContext, subject: string, notReady: string): ExplainInit {
  const { claims } = context.view.state;
  const ids = [...idsOf(subject), ...idsOf(`default/${subject}`)];
  const seen = ids.map((id) => claims.get(id)).find((one) => one !== undefined);
  if (seen !== undefined) return explainClaim(context, seen);
  const known =
    asAgent(context, subject) ?? asPool(context, subject) ?? explainFinding(context, subject);
  if (known !== undefined) return known;
  const detail = `nothing can be said yet: ${notReady}`;
  const steps = [{ title: "Controller", state: LinkState.UNKNOWN, detail }];
  return { found: true, title: subject, steps, remedy: "ask again when fairlead status says more" };
}

function asAddress(context: AdminContext, subject: string): ExplainInit | undefined {
  const address = parseAddress(subject);
  return address && explainAddress(context, address);
}

function asClaim(context: AdminContext, subject: string): ExplainInit | undefined {
  const { claims, orphans } = context.view.state;
  for (const id of idsOf(subject)) {
    const seen = claims.get(id);
    if (seen !== undefined) return explainClaim(context, seen);
    if (orphans.has(id)) return explainOrphan(context, id);
  }
  return undefined;
}

/** A Service that the cluster has and that asks for nothing. */
function asUnasked(context: AdminContext, subject: string): ExplainInit | undefined {
  const [namespace = "", name = "", ...rest] = subject.replace(/^service\//u, "").split("/");
  if (rest.length > 0) return undefined;
  const record =
    name === ""
      ? context.services?.get("default", namespace)
      : context.services?.get(namespace, name);
  return record && explainUnasked(context, record);
}

/** Ids that `NAMESPACE/NAME` or `kind/NAMESPACE/NAME` may stand for. */
function idsOf(subject: string): readonly ClaimId[] {
  const whole = parseClaimId(subject);
  if (whole !== undefined) return [whole];
  const [namespace = "", name = "", ...rest] = subject.split("/");
  if (rest.length > 0) return [];
  return KINDS.flatMap((kind) => claimId(kind, namespace, name) ?? []);
}

function asAgent(context: AdminContext, subject: string): ExplainInit | undefined {
  const name = parseAgentName(subject);
  const agent = name && context.view.state.agents.get(name);
  return agent && explainAgent(context, agent);
}

function asPool(context: AdminContext, subject: string): ExplainInit | undefined {
  const [seen] = poolsNamed(context.view.state, subject);
  return seen && explainPool(context, seen);
}

/** `KIND/NAME`, as kubectl takes it. */
function asKind(context: AdminContext, subject: string): ExplainInit | undefined {
  const [kind = "", ...rest] = subject.split("/");
  const name = rest.join("/");
  switch (kind) {
    case "agent":
      return asAgent(context, name);
    case "pool":
      return asPool(context, name);
    case "address":
      return asAddress(context, name);
    case "svc":
    case "service":
      return (
        asClaim(context, name) ?? asClaim(context, `default/${name}`) ?? asUnasked(context, name)
      );
    default:
      return undefined;
  }
}

/** Names that look like the subject: mistyped ones first, then those that contain it. */
function similarTo({ view }: AdminContext, subject: string): ReadonlySet<string> {
  const { claims, agents, pools } = view.state;
  const names = [
    ...Array.from(claims.keys(), claimTitle),
    ...agents.keys(),
    ...Array.from(pools.values(), ({ value }) => value.name),
    ...view.findings.map(({ name }) => name),
  ];
  const similar = new Set<string>();
  const bare = subject.slice(subject.lastIndexOf("/") + 1);
  if (bare.length < FRAGMENT_CHARACTERS_MIN) return similar;
  for (const word of [subject, `default/${subject}`]) {
    const nearest = nearestWord(word, names);
    if (nearest !== undefined) similar.add(nearest);
  }
  for (const name of names) {
    if (similar.size >= SIMILAR_MAX) break;
    if (name.includes(bare)) similar.add(name);
  }
  return similar;
}
