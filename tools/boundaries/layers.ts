// The layers of the repository: which package may import which. Everything else about imports
// follows from this table and from each package's own package.json.

/** What one package may import of ours, and why it is no more. */
export interface Layer {
  /** Folder below packages/. */
  readonly name: string;
  /** Packages that it may import. */
  readonly mayImport: readonly string[];
  /** Completes "because": printed when the rule is broken. */
  readonly because: string;
}

const PURE =
  "it is pure: values in, values out, so that every case can be tested without a machine";
const PROGRAM =
  "controller and agent meet in the protocol alone, so that each runs without the other";

/** All packages from the lowest layer to the highest. */
export const LAYERS: readonly Layer[] = [
  { name: "model", mayImport: [], because: "every other package stands on its words" },
  { name: "proto", mayImport: [], because: "it is generated code and nothing else" },
  {
    name: "runtime",
    mayImport: [],
    because: "it is given to every program and knows nothing of what they do",
  },
  {
    name: "kubeconfig",
    mayImport: ["runtime"],
    because: "it says how an apiserver is reached, and not what is asked of it",
  },
  { name: "planner", mayImport: ["model"], because: PURE },
  { name: "render", mayImport: ["model"], because: PURE },
  {
    name: "wire",
    mayImport: ["model", "proto"],
    because: "it translates between the model and the protocol, and only the model leaves it",
  },
  {
    name: "controller",
    mayImport: ["model", "runtime", "kubeconfig", "planner", "wire"],
    because: PROGRAM,
  },
  { name: "agent", mayImport: ["model", "runtime", "render", "wire"], because: PROGRAM },
  {
    name: "lab",
    mayImport: ["model", "runtime"],
    because: "it is a stage for programs: it must not know what plays on it",
  },
  {
    name: "cli",
    mayImport: ["model", "runtime", "wire", "controller", "agent", "lab"],
    because: "it is the uppermost program, and tests are not part of it",
  },
  {
    name: "testkit",
    mayImport: ["model", "runtime", "planner", "render", "wire", "controller", "agent", "lab"],
    because: "it serves the tests of every package, and only the command line stands above it",
  },
];
