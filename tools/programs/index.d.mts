// The types of index.mjs, for the tests. Declares the door and nothing else; tools/tsconfig.json
// checks the modules behind it.

/** The path that the program of a module below test/tools has once it is built. */
export declare function programPath(name: string, program?: string): string;
