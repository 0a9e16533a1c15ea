// The door of the agent.

export type * from "./ports.ts";
