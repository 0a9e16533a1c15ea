// Options of the package etcd3 under which it tries once and says what came of it: by itself it
// repeats writes whose outcome is unknown, and shuns a member for seconds after three failures.
// Given nothing. Whoever asks decides about the next try.

import type { IOptions } from "etcd3";

type Policy = NonNullable<NonNullable<IOptions["faultHandling"]>["global"]>;

/** Lists of ten thousand leases come in pages of some megabytes. */
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/** The options of one member's client. */
export function oneTryOptions(): Pick<IOptions, "faultHandling" | "grpcOptions"> {
  const policy = createOneTry();
  return {
    faultHandling: { global: policy, host: () => policy },
    grpcOptions: {
      "grpc.max_receive_message_length": ANSWER_BYTES_MAX,
      "grpc.enable_retries": 0,
      // A member that was cut off without a word is noticed; etcd allows a ping each 5 s.
      "grpc.keepalive_time_ms": 10_000,
      "grpc.keepalive_timeout_ms": 3000,
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 1000,
      // Its waits after failures are not those of others who connect to the same place.
      "grpc.use_local_subchannel_pool": 1,
    },
  };
}

function createOneTry(): Policy {
  const never = { dispose: (): void => undefined };
  const { signal } = new AbortController();
  const policy: Omit<Policy, "_altReturn"> = {
    onSuccess: () => never,
    onFailure: () => never,
    execute: async (run) => await run({ signal }),
  };
  // What is left out exists for the compiler alone.
  return policy as Policy;
}
