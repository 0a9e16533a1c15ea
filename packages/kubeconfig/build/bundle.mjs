// Makes dist/client-node.js: the configuration and authentication of @kubernetes/client-node
// without its API. Run by set-up after the dependencies are installed, and by hand with
// `node build/bundle.mjs`. Plain JavaScript for Node 20. It fails when the client changed so that
// a stand-in no longer fits, and never leaves a half-made bundle behind.

import { renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { collectLicenses } from "./licenses.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const DIST = join(dirname(HERE), "dist");
const NEVER_CALLED = join(HERE, "never-called.mjs");
const STAND_INS = new Map([
  ["./gen/index.js", NEVER_CALLED],
  ["./middleware.js", NEVER_CALLED],
  ["./azure_auth.js", NEVER_CALLED],
  ["./gcp_auth.js", NEVER_CALLED],
  ["./file_auth.js", NEVER_CALLED],
  ["undici", NEVER_CALLED],
  ["js-yaml", NEVER_CALLED],
  ["socks", NEVER_CALLED],
  ["socks-proxy-agent", NEVER_CALLED],
  ["hpagent", NEVER_CALLED],
  ["openid-client", join(HERE, "lazy-openid-client.mjs")],
]);
const CLIENT = /[\\/]@kubernetes[\\/]client-node[\\/]dist$/;

/** @type {import("esbuild").Plugin} */
const standIns = {
  name: "stand-ins",
  setup: (bundle) => {
    bundle.onResolve({ filter: /^(\.|[a-z])/ }, ({ path, resolveDir }) => {
      const file = CLIENT.test(resolveDir) ? STAND_INS.get(path) : undefined;
      return file === undefined ? undefined : { path: file };
    });
  },
};

/**
 * Modules of Node without what an import of them loads beside them: see runtime's lean-modules.ts.
 * @type {import("esbuild").Plugin}
 */
const lean = {
  name: "lean",
  setup: (bundle) => {
    bundle.onResolve({ filter: /^node:(http|tls)$/ }, ({ path }) => ({ path, namespace: "lean" }));
    bundle.onLoad({ filter: /./, namespace: "lean" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

const made = `${DIST}.${process.pid}`;
try {
  const { metafile } = await build({
    absWorkingDir: HERE,
    entryPoints: { "client-node": join(HERE, "entry.mjs") },
    outdir: made,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    metafile: true,
    logLevel: "warning",
    // CommonJS packages inside require Node's own modules.
    banner: {
      js: 'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);',
    },
    plugins: [standIns, lean],
  });
  const licenses = collectLicenses(HERE, Object.keys(metafile.inputs));
  writeFileSync(join(made, "LICENSES"), licenses);
  rmSync(DIST, { recursive: true, force: true });
  renameSync(made, DIST);
} finally {
  rmSync(made, { recursive: true, force: true });
}
