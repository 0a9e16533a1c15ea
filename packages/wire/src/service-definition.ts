// Services of the contract as the tables that grpc-js wants, made from protobuf-es descriptors.
// Given a descriptor; all four kinds of methods. There is no generated gRPC code besides this.

import {
  create,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { MethodDefinition } from "@grpc/grpc-js";

/** A method with what it sends (any shape that makes the message) and what comes out of it. */
export type MethodTable<M extends DescMethod> = Omit<
  MethodDefinition<MessageInitShape<M["input"]>, MessageInitShape<M["output"]>>,
  "requestDeserialize" | "responseDeserialize"
> & {
  readonly requestDeserialize: (bytes: Buffer) => MessageShape<M["input"]>;
  readonly responseDeserialize: (bytes: Buffer) => MessageShape<M["output"]>;
};

/** The table of a service: one definition a method, keyed by its local name. */
export type ServiceTable<S extends DescService> = {
  readonly [K in keyof S["method"]]: MethodTable<S["method"][K]>;
};

/** Makes the table of a service, for `Server.addService` and for clients' calls. */
export function serviceDefinition<S extends DescService>(service: S): ServiceTable<S> {
  const entries = service.methods.map((method) => [method.localName, methodTable(service, method)]);
  return Object.fromEntries(entries) as ServiceTable<S>;
}

function methodTable<M extends DescMethod>(service: DescService, method: M): MethodTable<M> {
  const { methodKind, input, output } = method;
  return {
    path: `/${service.typeName}/${method.name}`,
    originalName: method.localName,
    requestStream: methodKind === "client_streaming" || methodKind === "bidi_streaming",
    responseStream: methodKind === "server_streaming" || methodKind === "bidi_streaming",
    requestSerialize: (message) => Buffer.from(toBinary(input, create(input, message))),
    requestDeserialize: (bytes) => fromBinary(input, bytes) as MessageShape<M["input"]>,
    responseSerialize: (message) => Buffer.from(toBinary(output, create(output, message))),
    responseDeserialize: (bytes) => fromBinary(output, bytes) as MessageShape<M["output"]>,
  };
}
