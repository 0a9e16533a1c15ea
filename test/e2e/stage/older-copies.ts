// Stores of each kind under a stage, and how an older copy of one is kept and put back, as people
// do it: a file by `cp`, the data folders of an etcd, the objects of a cluster by themselves. Given
// the stage; no controller may run when a copy is taken, nor when one is put back but where it is
// said.

import type { KubeClient, KubeObject } from "@fairlead/testkit";

import { CLUSTER } from "./cluster-traces.ts";
import { type Stage, type StageOptions, STATE_DIR } from "./stage.ts";

/** A store of which copies are kept. */
export interface CopiedStore {
  readonly name: string;
  /** The stage whose controller has it. */
  readonly options: StageOptions;
  /** Whether it is put back under a controller that leads and loses its lead with it. */
  readonly losesLead?: boolean;
  /** Copies what it holds; gives what puts that back. */
  keep(stage: Stage): Promise<() => Promise<void>>;
}

const FILE = `${STATE_DIR}/store.db`;
const KINDS = ["AddressLease", "VrrpLane", "OperatorIntent", "StoreJournal"];

/** One of each kind. */
export const COPIED_STORES: readonly CopiedStore[] = [
  {
    name: "a file",
    options: {},
    keep: async ({ control }) => {
      const copy = (from: string, to: string): Promise<string> => control.output("cp", [from, to]);
      await copy(FILE, `${FILE}.copy`);
      return async () => void (await copy(`${FILE}.copy`, FILE));
    },
  },
  {
    name: "an etcd of three members under its controller",
    options: { hasEtcd: true },
    losesLead: true,
    keep: async (stage) => {
      const etcd = stage.etcd();
      const copy = await etcd.snapshot();
      return () => etcd.restore(copy);
    },
  },
  {
    name: "the objects of a cluster",
    options: {
      ...CLUSTER,
      controllerFlags: [...(CLUSTER.controllerFlags ?? []), "--store=kubernetes"],
    },
    keep: async (stage) => {
      const { kube } = stage.api();
      const kept = await storedObjects(kube);
      return async () => {
        for (const { apiVersion, kind, metadata } of await storedObjects(kube)) {
          await kube.remove({ apiVersion, kind, name: metadata.name });
        }
        for (const object of kept) await kube.create(asNew(object));
      };
    },
  },
];

async function storedObjects(kube: KubeClient): Promise<readonly KubeObject[]> {
  const kinds = KINDS.map((kind) => kube.list({ apiVersion: "fairlead.io/v1alpha1", kind }));
  return (await Promise.all(kinds)).flat();
}

/** As people keep it: without what the API server says of an object. */
function asNew(object: KubeObject): KubeObject {
  const { name, labels = {}, annotations = {} } = object.metadata;
  return { ...object, metadata: { name, labels, annotations } };
}
