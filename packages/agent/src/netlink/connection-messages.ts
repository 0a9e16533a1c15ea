// Messages about connections of clients: which ones an address has (socket diagnosis of TCP), and
// end them. Pure.

import { endianness } from "node:os";
import { type Address, type Family, assert, familyOf, present } from "@fairlead/model";
import { addressBytes, addressFromBytes, FAMILY_NUMBERS, familyNumber } from "./address-bytes.ts";
import { attribute } from "./attributes.ts";
import { anySocket, SOCKET_END } from "./flow-messages.ts";
import { rawMessage } from "./raw-message.ts";

/** SOCK_DIAG_BY_FAMILY (linux/sock_diag.h). */
export const SOCKETS_GET = 20;
/** One question asks for so many addresses: jumps in it are 16 bits of bytes. */
export const ADDRESSES_MAX = 1000;

/**
 * Bits of struct inet_diag_req_v2: established, closing in one of five ways, and not those that
 * listen, begin or only wait for their time to end.
 */
const STATES = [1, 4, 5, 8, 9, 11].reduce((bits, state) => bits | (1 << state), 0);
/** struct inet_diag_sockid in struct inet_diag_msg, and in struct inet_diag_req_v2. */
const ID_BYTES = 48;
const ID_IN_ANSWER = 4;
const ID_IN_QUESTION = 8;
const SOURCE_IN_ANSWER = 8;
/** INET_DIAG_REQ_BYTECODE and its operations (linux/inet_diag.h). */
const BYTECODE = 1;
const [JUMP, IS_SOURCE] = [1, 7];
const OPERATION_BYTES = 4;
const HOST_BYTES = 8;
const IS_LITTLE = endianness() === "LE";

/** The payload that asks for the connections of these addresses, all of one family. */
export function connectionsOf(addresses: readonly Address[]): Buffer {
  const [first] = addresses;
  assert(first !== undefined && addresses.length <= ADDRESSES_MAX, "1 to 1000 addresses");
  const question = anySocket(familyOf(first), "tcp");
  writeUInt32(question, STATES, 4);
  return Buffer.concat([question, attribute(BYTECODE, oneOf(addresses.map(addressBytes)))]);
}

/** The address of this host that the connection of one answer has. */
export function ownAddressOf(answer: Buffer): Address {
  const length = familyOfAnswer(answer) === "ipv4" ? 4 : 16;
  const bytes = answer.subarray(SOURCE_IN_ANSWER, SOURCE_IN_ANSWER + length);
  return present(addressFromBytes(bytes), "4 or 16 bytes are an address");
}

/**
 * The message that ends the connection of one answer: its process and its client are told. It names
 * that very connection: one that came after it with the same ends is not meant.
 */
export function endConnection(answer: Buffer): Buffer {
  const payload = anySocket(familyOfAnswer(answer), "tcp");
  answer.copy(payload, ID_IN_QUESTION, ID_IN_ANSWER, ID_IN_ANSWER + ID_BYTES);
  return rawMessage(SOCKET_END, payload);
}

function familyOfAnswer(answer: Buffer): Family {
  return answer[0] === FAMILY_NUMBERS.ipv4 ? "ipv4" : "ipv6";
}

/**
 * A program of the kernel's filter: accepts at its end, refuses beyond it. Of each address a
 * comparison, that goes on with a jump to the end where it holds, and else with the next address.
 */
function oneOf(addresses: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  let behindBytes = 0;
  for (const address of addresses.toReversed()) {
    const isLast = behindBytes === 0;
    if (!isLast) parts.push(operation(JUMP, OPERATION_BYTES, OPERATION_BYTES + behindBytes));
    const bytes = OPERATION_BYTES + HOST_BYTES + address.length;
    const host = Buffer.alloc(HOST_BYTES);
    host.writeUInt8(familyNumber(address), 0);
    host.writeUInt8(address.length * 8, 1);
    // Any port.
    host.fill(0xff, 4, HOST_BYTES);
    parts.push(
      Buffer.concat([operation(IS_SOURCE, bytes, bytes + OPERATION_BYTES), host, address]),
    );
    behindBytes += bytes + (isLast ? 0 : OPERATION_BYTES);
  }
  return Buffer.concat(parts.toReversed());
}

/** struct inet_diag_bc_op: how many bytes further the next one is, by what came out. */
function operation(code: number, yesBytes: number, noBytes: number): Buffer {
  const buffer = Buffer.alloc(OPERATION_BYTES);
  buffer.writeUInt8(code, 0);
  buffer.writeUInt8(yesBytes, 1);
  if (IS_LITTLE) buffer.writeUInt16LE(noBytes, 2);
  else buffer.writeUInt16BE(noBytes, 2);
  return buffer;
}

function writeUInt32(buffer: Buffer, value: number, at: number): void {
  if (IS_LITTLE) buffer.writeUInt32LE(value, at);
  else buffer.writeUInt32BE(value, at);
}
