// The rules of imports, for dependency-cruiser: one for each package made from the table of layers,
// then those about doors, adapters and single packages. Each comment is the reason, in a sentence
// that is printed when the rule is broken. Reads nothing; the packages' dependencies are given.

import type { IRegularForbiddenRuleType as Rule } from "dependency-cruiser";
import { LAYERS, type Layer } from "./layers.ts";

const TEST = "\\.test\\.ts$";
/** Scripts that make something for their package; they run at set-up, where all is installed. */
const BUILD = "^packages/[^/]+/build/";
const ADAPTER = {
  agent: "^packages/agent/src/([^/]+)/",
  controller: "^packages/controller/src/((?:sources|store|publish|dns|drivers|api)/[^/]+|sync)/",
};

/** Options of forbiddenImports. */
export interface RuleOptions {
  /** For each package the names that its package.json lists as dependencies. */
  readonly dependencies: ReadonlyMap<string, readonly string[]>;
}

/** All rules. The same dependencies give the same rules. */
export function forbiddenImports(options: RuleOptions): readonly Rule[] {
  return [
    ...LAYERS.map(layerRule),
    ...LAYERS.map((layer) => listedRule(layer, options.dependencies.get(layer.name) ?? [])),
    ...DOORS,
    ...PURITY,
    ...ADAPTERS,
    ...TECHNOLOGIES,
  ];
}

function layerRule(layer: Layer): Rule {
  const allowed = [layer.name, ...layer.mayImport].join("|");
  const which = layer.mayImport.length === 0 ? "no other package" : layer.mayImport.join(", ");
  return rule(
    `${layer.name}-imports-downward`,
    `${layer.name} may import ${which}, because ` + layer.because,
    {
      from: { path: `^packages/${layer.name}/`, pathNot: TEST },
      to: { path: "^(packages|test|tools)/", pathNot: `^packages/(${allowed})/` },
    },
  );
}

function listedRule(layer: Layer, dependencies: readonly string[]): Rule {
  const listed = dependencies.map((name) => name.replaceAll(".", "\\."));
  return rule(
    `${layer.name}-lists-what-it-imports`,
    `packages/${layer.name}/package.json has to list what its code imports, or the package ` +
      "works in this checkout and nowhere else",
    {
      from: { path: `^packages/${layer.name}/`, pathNot: [TEST, BUILD] },
      to: {
        path: "node_modules/",
        pathNot: [`node_modules/(@types/)?(${["node", ...listed].join("|")})/`],
      },
    },
  );
}

const DOORS: readonly Rule[] = [
  rule(
    "one-door",
    "a package is entered by its index.ts alone, so that what lies behind can change freely",
    {
      from: { path: "^(?:packages/)?([^/]+)/" },
      to: { path: "^packages/", pathNot: ["^packages/$1/", "^packages/[^/]+/src/index\\.ts$"] },
    },
  ),
  rule("main-is-not-imported", "main.ts acts when it is read: it starts a program", {
    from: {},
    to: { path: "^packages/[^/]+/src/main\\.ts$" },
  }),
  rule("tests-are-not-imported", "a test file runs its tests wherever it is read", {
    from: {},
    to: { path: TEST },
  }),
  rule("resolves", "an import has to lead somewhere", {
    from: {},
    to: { couldNotResolve: true },
  }),
];

const PURITY: readonly Rule[] = [
  rule(
    "model-imports-nothing",
    "the model is read everywhere, also in a browser: it imports nothing, not even node:*",
    {
      from: { path: "^packages/model/", pathNot: TEST },
      to: { pathNot: "^packages/model/" },
    },
  ),
  rule(
    "planner-is-pure",
    "planning has no clock, no disk and no network: the same world gives the same plan",
    {
      from: { path: "^packages/planner/", pathNot: TEST },
      to: { dependencyTypes: ["core", "npm", "npm-dev"] },
    },
  ),
  rule(
    "render-is-pure",
    "rendering is text from values; only templates.ts reads its templates, once",
    {
      from: { path: "^packages/render/", pathNot: [TEST, "^packages/render/src/templates\\.ts$"] },
      to: { dependencyTypes: ["core", "npm", "npm-dev"] },
    },
  ),
  rule("templates-read-files-only", "templates.ts reads templates with node:fs and no more", {
    from: { path: "^packages/render/src/templates\\.ts$" },
    to: { dependencyTypes: ["core"], pathNot: "^(node:)?(fs|url|path)$" },
  }),
];

const ADAPTERS: readonly Rule[] = Object.entries(ADAPTER).flatMap(([program, adapter]) => [
  rule(
    `${program}-adapters-are-strangers`,
    "an adapter knows its technology and its port; two that know each other cannot be " +
      "replaced one by one",
    {
      from: { path: adapter, pathNot: TEST },
      to: { path: adapter, pathNot: [`^packages/${program}/src/$1/`] },
    },
  ),
  rule(
    `${program}-adapters-do-not-call-up`,
    "data goes round the ring one way: an adapter hands facts on and never calls the loop",
    {
      from: { path: adapter, pathNot: TEST },
      to: { path: `^packages/${program}/src/(cycle|converge|${program})\\.ts$` },
    },
  ),
]);

const TECHNOLOGIES: readonly Rule[] = [
  only("netlink", "node_modules/netlink/", "packages/agent/src/netlink/", [
    "its package ends the whole process when its buffer overflows, and only agent/netlink keeps",
    "the bounds that prevent it",
  ]),
  rule(
    "only-packages-controller-src-store-sqlite-sqlite",
    "packages/controller/src/store/sqlite/: its calls block the loop, and only the store batches " +
      "them; stories count with it what a dead controller left, by nothing of the controller's, " +
      "and a bench measures what it does without us",
    {
      from: {
        pathNot: [
          "^packages/controller/src/store/sqlite/",
          "^test/e2e/stage/stored-leases\\.ts$",
          "^test/bench/bare-writes\\.ts$",
        ],
      },
      to: { path: "^(node:)?sqlite$" },
    },
  ),
  only("client-node", "@kubernetes/client-node", "packages/kubeconfig/build/", [
    "importing this client costs 64 MB, and only the build of its bundle leaves that behind",
  ]),
  rule(
    "lean-modules",
    "an import of node:http or node:tls loads MBs beside it that nothing uses: their functions " +
      "come from runtime's lean-modules.ts, their types by `import type`",
    {
      from: {
        path: "^packages/(runtime|kubeconfig|wire|controller|agent|cli)/src/",
        pathNot: [TEST, "^packages/kubeconfig/src/echo-server\\.ts$"],
      },
      to: { path: "^(node:)?(http|tls)$", dependencyTypesNot: ["type-only"] },
    },
  ),
  only("protocol", "^packages/proto/", "packages/(wire|proto)/", [
    "the model leaves wire and generated messages do not, so that the protocol can change",
  ]),
];

function only(name: string, to: string, folder: string, why: readonly string[]): Rule {
  return rule(`only-${folder.replace(/\W+/g, "-")}${name}`, `${folder}: ${why.join(" ")}`, {
    from: { pathNot: `^${folder}` },
    to: { path: to },
  });
}

function rule(name: string, comment: string, edges: Pick<Rule, "from" | "to">): Rule {
  return { name, comment, severity: "error", ...edges };
}
