// Reads and compiles the templates. The only file here that touches the disk: once, when the
// program starts. Templates loop over views and decide nothing; a missing value is a bug.

import { readFileSync } from "node:fs";
import Handlebars from "handlebars";
import { assertTokens } from "./guard.ts";
import type { KeepalivedView } from "./keepalived-view.ts";
import type { NginxView } from "./nginx-view.ts";

/** Compiled templates: a checked view in, the text of a configuration file out. */
export interface Templates {
  /** Text of keepalived.conf. Asserts that the view holds nothing but tokens. */
  readonly keepalived: (view: KeepalivedView) => string;
  /** Text of nginx.conf. Asserts that the view holds nothing but tokens. */
  readonly nginx: (view: NginxView) => string;
  /** The template of nginx.conf as it is: another release may write another file by it. */
  readonly nginxSource: string;
}

/** Reads the templates beside this package and compiles them. Call it once in a program's life. */
export function createTemplates(): Templates {
  const [keepalived, nginx] = [read("keepalived.conf.hbs"), read("nginx.conf.hbs")];
  return {
    keepalived: compile<KeepalivedView>(keepalived, NO_LANES),
    nginx: compile<NginxView>(nginx, NO_LISTENERS),
    nginxSource: nginx,
  };
}

const NO_LANES: KeepalivedView = { globalFlags: [], commonTrackFiles: [], instances: [] };

const NO_LISTENERS: NginxView = {
  streamModule: "/none",
  pidFile: "/none",
  errorLog: "stderr",
  users: [],
  workerProcesses: 1,
  workerConnections: 1,
  openFilesMax: 1,
  shutdownTimeoutMs: 1,
  bufferBytes: 1,
  limitZones: [],
  limitLogLevels: [],
  probeSocket: "/none",
  answerSockets: [],
  generation: "none",
  proxied: [],
  refusing: [],
  placed: { balancers: [], sources: [], groups: [] },
};

function read(file: string): string {
  return readFileSync(new URL(`../templates/${file}`, import.meta.url), "utf8");
}

function compile<View>(source: string, empty: View): (view: View) => string {
  // Own instance: helpers and partials that somebody registers globally never reach our files.
  const fill = Handlebars.create().compile<View>(source, {
    strict: true,
    noEscape: true,
    knownHelpersOnly: true,
    knownHelpers: { each: true },
  });
  // Handlebars compiles when it is first used: now, and not while somebody waits for a file.
  fill(empty);
  return (view) => {
    assertTokens(view);
    return fill(view);
  };
}
