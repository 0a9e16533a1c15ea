// The door of the command line: what documents about it are made from. Its programs are started by
// main.ts, which nobody imports.

export { RUN_SETTINGS, type RunSettingsTable } from "./run-settings.ts";
