// What agents may notice of each other in random worlds: adverts heard and missed, and whoever
// answers for an address that another one holds. Given a world and its plan; the number decides.

import {
  type AgentView,
  type LaneHearing,
  type Plan,
  type ResourceName,
  type World,
  addressOfResource,
  laneName,
} from "@fairlead/model";

const HEARD: readonly (LaneHearing["state"] | undefined)[] = ["heard", "unheard", "unable"];
const MACS = ["", "02:00:00:00:00:01", "02:00:00:00:99:99"] as const;

/** The agents, of which those that have reported have noticed something now. */
export function noticeAll(world: World, plan: Plan, n: number): readonly AgentView[] {
  return Array.from(world.agents.values(), (view, i) => {
    if (view.report === undefined || !view.connected) return view;
    return withSights(withHearing(view, { world, plan, n: n + i }), { world, n: n + i });
  });
}

function withHearing(
  view: AgentView,
  { world, plan, n }: { readonly world: World; readonly plan: Plan; readonly n: number },
): AgentView {
  const hearing: LaneHearing[] = [];
  const unheardSinceMs = new Map<ResourceName, number>();
  for (const [index, { id, holder, order }] of [...plan.lanes.values()].entries()) {
    const state = HEARD[(n + index) % 4];
    if (state === undefined || holder === view.name || !order.includes(view.name)) continue;
    hearing.push({ lane: laneName(id), state });
    if (state === "unheard") unheardSinceMs.set(laneName(id), world.nowMs - (n % 2));
  }
  const { hearing: _, ...report } = view.report ?? emptyReport();
  const capabilities = [...new Set([...view.hello.capabilities, "hearing" as const])];
  return {
    ...view,
    hello: { ...view.hello, capabilities },
    report: { ...report, ...(hearing.length === 0 ? {} : { hearing }) },
    unheardSinceMs,
  };
}

function emptyReport(): never {
  throw new Error("only agents that have reported notice something");
}

function withSights(
  view: AgentView,
  { world, n }: { readonly world: World; readonly n: number },
): AgentView {
  const report = view.report ?? emptyReport();
  const resources = new Map(report.resources);
  const seenSinceMs = new Map(view.seenSinceMs);
  for (const [name, said] of report.resources) {
    const address = addressOfResource(name);
    const isOther = name.startsWith("vip/") && said.step === "applied";
    const mac = MACS[(n + name.length + resources.size) % 4];
    if (address === undefined || !isOther || mac === undefined) continue;
    const evidence = [{ kind: "neighbour", mac, seenBy: view.name } as const];
    resources.set(name, { ...said, evidence });
    seenSinceMs.set(address, world.nowMs);
  }
  return { ...view, report: { ...report, resources }, seenSinceMs };
}
