// The door of the controller: the loop, its ports and facts, and what starts it in a process.

export * from "./facts.ts";
export * from "./ports.ts";
