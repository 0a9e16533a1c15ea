// How large the buffers of sockets are. The netlink package aborts the whole process when one that
// receives overflows.

/** As the package wants it said, in bytes: an answer of thousands of addresses or flows fits. */
export const SOCKET_SIZES: {
  readonly recvBufferSize: number;
  readonly sendBufferSize: number;
} = { recvBufferSize: 8 * 1024 * 1024, sendBufferSize: 256 * 1024 };
