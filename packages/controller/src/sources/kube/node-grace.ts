// Nodes as members see them: one that stops being Ready stays for a moment, as kubelets under load
// miss a heartbeat now and then. Given the nodes as they are; it keeps who was Ready and since when
// not, and nothing else.

import type { NodeObject } from "../node-object.ts";

/** A Node that is no longer Ready counts as Ready for this long, in ms. */
export const READY_GRACE_MS = 5000;

/** A memory of Nodes. */
export interface NodeGrace {
  /**
   * The nodes as they count at `nowMs` (monotonic), and when that changes by time alone; undefined:
   * never. A node that is new and not Ready has no grace.
   */
  judge(
    nodes: ReadonlyMap<string, NodeObject>,
    nowMs: number,
  ): { readonly nodes: readonly NodeObject[]; readonly dueMs: number | undefined };
}

/** Makes an empty memory. */
export function createNodeGrace(): NodeGrace {
  /** By name: for how long the node counts as Ready. */
  let readyUntilMs: ReadonlyMap<string, number> = new Map();
  return {
    judge: (nodes, nowMs) => {
      const next = new Map<string, number>();
      let dueMs: number | undefined;
      const judged = Array.from(nodes, ([name, node]): NodeObject => {
        if (node.ready) {
          next.set(name, Number.POSITIVE_INFINITY);
          return node;
        }
        const knownMs = readyUntilMs.get(name);
        const untilMs = knownMs === Number.POSITIVE_INFINITY ? nowMs + READY_GRACE_MS : knownMs;
        if (untilMs === undefined || untilMs <= nowMs) return node;
        next.set(name, untilMs);
        dueMs = Math.min(dueMs ?? untilMs, untilMs);
        return { ...node, ready: true };
      });
      readyUntilMs = next;
      return { nodes: judged, dueMs };
    },
  };
}
