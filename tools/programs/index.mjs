// The door of this folder for the tests: where a built program is. Everything else here belongs to
// set-up. index.d.mts gives the types, since the tests are TypeScript and this is not.

export { programPath } from "./program-path.mjs";
