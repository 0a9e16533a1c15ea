// The flags of `fairlead store copy`: two stores, and what it takes to reach them, which both of
// them share. Pure.

import {
  booleanSetting,
  type Complaint,
  type GivenSettings,
  type Setting,
  stringSetting,
} from "@fairlead/runtime";

import { ETCD_SCHEME } from "./etcd/etcd-access.ts";
import { checkEtcdFlags } from "./etcd-settings.ts";
import { SOURCE_SETTINGS, type SourceFlags } from "./source-settings.ts";
import { STORE_SETTINGS, type StoreFlags, storeProblem } from "./store-settings.ts";

/** What `fairlead store copy` is given. */
export interface CopyFlags
  extends Omit<StoreFlags, "store" | "stateDir">, Pick<SourceFlags, "kubeconfig" | "context"> {
  /** `sqlite:FILE`, `etcd:URL[,URL]` or `kubernetes`; empty: it is missing, and that was said. */
  readonly from: string;
  readonly to: string;
  readonly dryRun: boolean;
}

/** How each of them is read and explained. */
export type CopySettingsTable = {
  readonly [Key in keyof CopyFlags]: Setting<CopyFlags[Key]>;
};

const { store: _store, stateDir: _stateDir, ...REACH } = STORE_SETTINGS;
const STORE_FORMS = "sqlite:FILE|etcd:URL[,URL]|kubernetes";

/** The flags, as `readSettings` wants them. */
export const COPY_SETTINGS: CopySettingsTable = {
  from: stringSetting({
    default: "",
    placeholder: STORE_FORMS,
    help: "The store that is read. No controller may work with it meanwhile.",
    check: storeProblem,
  }),
  to: stringSetting({
    default: "",
    placeholder: STORE_FORMS,
    help: "The store that is written. It has to be empty, and no controller may work with it.",
    check: storeProblem,
  }),
  dryRun: booleanSetting({
    default: false,
    help: "Says what would be copied, and writes no row.",
  }),
  kubeconfig: stringSetting({
    default: undefined,
    placeholder: "FILE",
    help: "The cluster of the store kubernetes. Inside of one it needs none.",
    check: (text) => (text === "" ? "the path of a kubeconfig" : undefined),
  }),
  context: SOURCE_SETTINGS.context,
  ...REACH,
};

/** What is wrong with these flags together. */
export function checkCopyFlags({
  settings,
}: GivenSettings<CopySettingsTable>): readonly Complaint[] {
  const { from, to } = settings;
  const missing = (["from", "to"] as const).filter((key) => settings[key] === "");
  const etcd = [from, to].find((store) => store?.startsWith(ETCD_SCHEME) === true);
  return [
    ...missing.map((key): Complaint => ({
      what: `--${key}`,
      why: "nothing says which store that is",
      todo: `name it as --${key} ${STORE_FORMS}`,
      code: "MissingSetting",
    })),
    ...checkEtcdFlags({ ...settings, store: etcd }),
  ];
}
