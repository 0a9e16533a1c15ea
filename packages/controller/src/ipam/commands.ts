// What the IPAM service can be told to do, for those who run it in their own process and not over
// REST.

export { createClass } from "./class-commands.ts";
export { release, renewMany } from "./keep.ts";
export { createNetblock, deleteNetblock } from "./netblock-commands.ts";
export { register } from "./register.ts";
