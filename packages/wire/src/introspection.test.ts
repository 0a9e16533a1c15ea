// What grpcurl does, done by hand on a real server: list the services, fetch their files, ask for
// health. The files must hold together without any others.

import assert from "node:assert";
import { test } from "node:test";
import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { AdminService, AgentService } from "@fairlead/proto";
import { Client, Server } from "@grpc/grpc-js";
import {
  channelCredentials,
  channelOptions,
  serverCredentials,
  serverOptions,
} from "./grpc-options.ts";
import { addIntrospection, type Health } from "./introspection.ts";

const INSECURE = { kind: "insecure" } as const;
const HEALTH = "grpc.health.v1.Health";

/** Field numbers of grpc/reflection/v1/reflection.proto. */
const FILE_CONTAINING_SYMBOL = 4;
const LIST_SERVICES = 7;
const FILE_DESCRIPTOR_RESPONSE = 4;
const LIST_SERVICES_RESPONSE = 6;

for (const version of ["v1", "v1alpha"]) {
  test(`reflection ${version} lists our services and health, and their files suffice`, async () => {
    await using server = await start();
    const ask = (field: number, text: string): Promise<Uint8Array> =>
      server.stream(`/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`, [
        new BinaryWriter().tag(field, 2).string(text).finish(),
      ]);
    const list = await ask(LIST_SERVICES, "*");
    const [services = new Uint8Array()] = fieldsOf(list, LIST_SERVICES_RESPONSE);
    const names = fieldsOf(services, 1).flatMap((one) => fieldsOf(one, 1).map(utf8));
    assert.deepEqual(names.toSorted(), [AdminService.typeName, AgentService.typeName, HEALTH]);
    for (const name of names) {
      const answer = await ask(FILE_CONTAINING_SYMBOL, name);
      const [files = new Uint8Array()] = fieldsOf(answer, FILE_DESCRIPTOR_RESPONSE);
      const file = fieldsOf(files, 1).map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
      const registry = createFileRegistry(
        create(FileDescriptorSetSchema, { file: file.toReversed() }),
      );
      assert.ok(registry.getService(name), name);
    }
  });
}

test("health says of each service and of the whole server whether it serves", async () => {
  await using server = await start();
  const check = async (service: string): Promise<number | undefined> => {
    const request = new BinaryWriter().tag(1, 2).string(service).finish();
    const answer = await server.unary(`/${HEALTH}/Check`, request);
    const reader = new BinaryReader(answer);
    return answer.length === 0 ? undefined : (reader.tag(), reader.int32());
  };
  const [serving, notServing] = [1, 2];
  assert.equal(await check(""), notServing);
  server.health.setServing(true);
  assert.equal(await check(""), serving);
  assert.equal(await check(AgentService.typeName), serving);
  await assert.rejects(check("somebody.Else"));
});

interface Running extends AsyncDisposable {
  readonly health: Health;
  unary(path: string, request: Uint8Array): Promise<Uint8Array>;
  stream(path: string, requests: readonly Uint8Array[]): Promise<Uint8Array>;
}

async function start(): Promise<Running> {
  const server = new Server(serverOptions());
  const health = addIntrospection(server, [AdminService, AgentService]);
  const bound = Promise.withResolvers<number>();
  server.bindAsync("127.0.0.1:0", serverCredentials(INSECURE), (error, port) =>
    error === null ? bound.resolve(port) : bound.reject(error),
  );
  const address = `127.0.0.1:${await bound.promise}`;
  const client = new Client(address, channelCredentials(INSECURE), channelOptions());
  const write = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
  const read = (bytes: Buffer): Uint8Array => bytes;
  return {
    health,
    unary: (path, request) => {
      const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
      client.makeUnaryRequest(path, write, read, request, (error, answer) =>
        error === null ? resolve(answer ?? new Uint8Array()) : reject(error),
      );
      return promise;
    },
    stream: (path, requests) => {
      const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
      const call = client.makeBidiStreamRequest(path, write, read);
      call.on("data", resolve).on("error", reject);
      for (const request of requests) call.write(request);
      call.end();
      return promise;
    },
    [Symbol.asyncDispose]: async () => {
      client.close();
      server.forceShutdown();
      await Promise.resolve();
    },
  };
}

/** Every length-delimited field with this number. */
function fieldsOf(bytes: Uint8Array, wanted: number): readonly Uint8Array[] {
  const reader = new BinaryReader(bytes);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === wanted && type === 2) found.push(reader.bytes());
    else reader.skip(type, field);
  }
  return found;
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}
