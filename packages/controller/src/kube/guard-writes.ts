// A client that writes only while its owner may: one that lost the lead, or hung until it was over,
// finds its writes refused here, after everything that they had to wait for. Given who may say so.

import type { KubeClient } from "./kube-client.ts";
import { KubeError, requestWords } from "./kube-errors.ts";

/** Guards a client; reads go through. `mayWrite` is asked for each write, and waits for nothing. */
export function guardWrites(client: KubeClient, mayWrite: () => boolean): KubeClient {
  return {
    ...client,
    request: (request, signal) => {
      const may = (): void => {
        if (request.method === "GET" || mayWrite()) return;
        const message = `${requestWords(request)}: not sent, as this controller does not lead`;
        throw new KubeError({ code: "NOT_LEADING", message });
      };
      return client.request({ ...request, beforeSending: may }, signal);
    },
  };
}
