// Every variable that one of the programs reads, and which of an environment none of them does: a
// program knows its own alone, and one file of variables may be for all of them. Pure.

import { nearestWord } from "./nearest.ts";

/** Without the prefix; a test of the repository compares them with the programs' tables. */
const NAMES =
  "ADVERT_INTERVAL AGENT ASK_BEFORE_USE CONFIG CONTEXT CONTROLLER DEFAULT_CLASS DRY_RUN " +
  "ETCD_BASE ETCD_CA_FILE ETCD_CERT_FILE ETCD_KEY_FILE EXTERNAL_POOL_DIR FROM GENERATIONS_MAX " +
  "INSECURE IPAM_GRACE IPAM_LEASE KEEP_ON_EXIT KUBECONFIG LEADER_LEASE LINK LISTEN_ADMIN LISTEN_AGENTS " +
  "LISTEN_DEBUG LISTEN_METRICS LISTEN_REST LOG_FORMAT LOG_LEVEL MEMBERS MEMBER_SWITCH NAME " +
  "NAMESPACE NODE_SELECTOR POOL RESERVED_ROUTER_IDS RUN_DIR SERVER SERVICE_NETWORKS SOURCE " +
  "STATE_DIR STORE TO WITHDRAW WORKER_PROCESSES WRITE_EXTERNAL_IPS";

const PREFIX = "FAIRLEAD_";

/** The variables that some program reads. */
export const KNOWN_VARIABLES: readonly string[] = NAMES.split(" ").map((name) => PREFIX + name);

/** What a kubelet gives each container of a Service called `fairlead`, or `fairlead-...`. */
const OF_A_SERVICE = /_(?:SERVICE_HOST|SERVICE_PORT|PORT)(?:_.*)?$/u;

/** What the tests of this repository are told by, and tell the programs that they start. */
const OF_THE_TESTS = new RegExp(
  "^(?:APT_LISTS|BENCH_|E2E_|LAB$|POLICY_FILE|PROPERTY_|SANDBOX$|SCENARIO|SEED$|SIMULATION_" +
    "|SKIP$|TEST_|UPDATE_GOLDEN)",
  "u",
);

/** A variable that nobody reads. */
export interface StrangeVariable {
  readonly variable: string;
  /** The one that was most likely meant. */
  readonly nearest: string | undefined;
}

/** Variables with our prefix that no program reads, in order. */
export function strangeVariables(
  env: Readonly<Record<string, string | undefined>>,
): readonly StrangeVariable[] {
  const known = new Set(KNOWN_VARIABLES);
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.has(name))
    .filter((name) => !OF_A_SERVICE.test(name) && !OF_THE_TESTS.test(name.slice(PREFIX.length)))
    .toSorted()
    .map((variable) => ({ variable, nearest: nearestWord(variable, KNOWN_VARIABLES) }));
}
