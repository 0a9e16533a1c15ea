// Reflection (v1 and v1alpha) and health on a gRPC server, so that grpcurl and buf curl work
// without files. Given the descriptors of the services that the server has; it adds no others.

import { type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { Server } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation } from "grpc-health-check";
import { healthFiles } from "./health-file.ts";

/** Says whether the services of a server can do their work. */
export interface Health {
  /** Sets the state of every service of the server and of the server as a whole. */
  setServing(isServing: boolean): void;
}

/** What reflection is fed with: the part of proto-loader's package definition that it reads. */
type ReflectionPackage = ConstructorParameters<typeof ReflectionService>[0];

/** Full name of the health service; see grpc/health/v1/health.proto. */
const HEALTH_SERVICE = "grpc.health.v1.Health";

/** Adds reflection and health to a server, before it is bound. Health starts as not serving. */
export function addIntrospection(server: Server, services: readonly DescService[]): Health {
  const names = services.map((service) => service.typeName);
  const subjects = ["", ...names];
  const health = new HealthImplementation(
    Object.fromEntries(subjects.map((subject) => [subject, "NOT_SERVING"])),
  );
  health.addToServer(server);
  const reflection = new ReflectionService(reflectionPackage(services), {
    services: [...names, HEALTH_SERVICE],
  });
  reflection.addToServer(server);
  return {
    setServing: (isServing) => {
      for (const subject of subjects) {
        health.setStatus(subject, isServing ? "SERVING" : "NOT_SERVING");
      }
    },
  };
}

/** Reflection reads nothing of a package definition but the files of its entries. */
function reflectionPackage(services: readonly DescService[]): ReflectionPackage {
  const files = new Map<string, DescFile>();
  for (const service of services) collectFiles(service.file, files);
  const ours = [...files.values()].map((file) =>
    Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)),
  );
  const fileDescriptorProtos = [...ours, ...healthFiles()];
  const format = "Protocol Buffer 3 DescriptorProto";
  return { files: { format, type: {}, fileDescriptorProtos } };
}

function collectFiles(file: DescFile, files: Map<string, DescFile>): void {
  if (files.has(file.proto.name)) return;
  files.set(file.proto.name, file);
  for (const imported of file.dependencies) collectFiles(imported, files);
}
