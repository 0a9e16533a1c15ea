// Where the API server listens that a kubeconfig names: by its address, or by what its name stands
// for. Names are looked up anew whenever asked; one that is not found leaves what was known.

import { parseAddress } from "@fairlead/model";

/** The addresses of a name, as text. Rejects where it is not found. */
export type LookUp = (host: string) => Promise<readonly string[]>;

/** Where a server listens. */
export interface ServerEndpoints {
  /** As `ADDRESS PORT`; empty while its name was never found. */
  known(): readonly string[];
  /** Looks its name up, and tells `onChange` when that says something else than before. */
  look(): void;
}

/** Makes it; nothing is looked up before `look`. */
export function createServerEndpoints(options: {
  /** Its URL. */
  readonly server: string;
  readonly lookUp: LookUp;
  readonly onChange: () => void;
}): ServerEndpoints {
  const { server, lookUp, onChange } = options;
  const { hostname, port, protocol } = new URL(server);
  const number = port === "" ? (protocol === "http:" ? "80" : "443") : port;
  const host = hostname.replace(/^\[|\]$/gu, "");
  const endpoints = (texts: readonly string[]): readonly string[] =>
    texts.flatMap((text) => parseAddress(text) ?? []).map((address) => `${address} ${number}`);
  let known = endpoints([host]);
  const isName = known.length === 0;
  return {
    known: () => known,
    look: () => {
      if (!isName) return;
      lookUp(host).then(
        (texts) => {
          const before = known.join();
          known = endpoints(texts).toSorted();
          if (known.join() !== before) onChange();
        },
        // The server itself is reached or not, and that is said; behind a proxy no name is needed.
        () => undefined,
      );
    },
  };
}
