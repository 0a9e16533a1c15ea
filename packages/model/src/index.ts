// The door of the model: the words of the project as types. Pure; imports nothing.

export * from "./address-scope.ts";
export * from "./address.ts";
export * from "./assert.ts";
export * from "./cidr.ts";
export * from "./claim.ts";
export * from "./hash.ts";
export * from "./holders.ts";
export * from "./instant.ts";
export * from "./intent.ts";
export * from "./lane.ts";
export * from "./lease.ts";
export * from "./member.ts";
export * from "./name.ts";
export * from "./node-plan.ts";
export * from "./order.ts";
export * from "./patched-map.ts";
export * from "./pool.ts";
export * from "./reason-table.ts";
export * from "./reason.ts";
export * from "./registration.ts";
export * from "./report.ts";
export * from "./verdict.ts";
export * from "./world.ts";
