// The descriptor of the health service for reflection, given what proto-loader made of its file:
// that names the entry type of a map after the field alone, where all other tools want `...Entry`,
// and names types by their last part alone, which strict readers refuse. Both are repaired here.

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type DescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { service } from "grpc-health-check";

/** The file that declares the health service, as bytes of a FileDescriptorProto. */
export function healthFiles(): readonly Buffer[] {
  const files = Object.values(service).flatMap((method) => filesOf(method.requestType));
  return files.map((bytes) => {
    const file = fromBinary(FileDescriptorProtoSchema, bytes);
    for (const message of file.messageType) renameMapEntries(message);
    const fullNames = new Map<string, string>();
    for (const message of file.messageType) collectNames(message, `.${file.package}`, fullNames);
    for (const message of file.messageType) qualifyFields(message, fullNames);
    return Buffer.from(toBinary(FileDescriptorProtoSchema, file));
  });
}

function filesOf(type: object): readonly Buffer[] {
  // grpc-health-check types this field away; proto-loader documents it.
  return (type as { readonly fileDescriptorProtos?: readonly Buffer[] }).fileDescriptorProtos ?? [];
}

function renameMapEntries(message: DescriptorProto): void {
  for (const nested of message.nestedType) {
    if (nested.options?.mapEntry !== true || nested.name.endsWith("Entry")) continue;
    for (const field of message.field) {
      if (field.typeName === nested.name) field.typeName = `${nested.name}Entry`;
    }
    nested.name = `${nested.name}Entry`;
  }
}

/** Full names by last part: no two types of this file share one. */
function collectNames(message: DescriptorProto, scope: string, names: Map<string, string>): void {
  const full = `${scope}.${message.name}`;
  names.set(message.name, full);
  for (const { name } of message.enumType) names.set(name, `${full}.${name}`);
  for (const nested of message.nestedType) collectNames(nested, full, names);
}

function qualifyFields(message: DescriptorProto, names: ReadonlyMap<string, string>): void {
  for (const field of message.field) {
    field.typeName = names.get(field.typeName) ?? field.typeName;
  }
  for (const nested of message.nestedType) qualifyFields(nested, names);
}
