// Answers of AdminService as JSON values, for `-o json` and `-o yaml`: field names and words as in
// the contract's JSON form, so that scripts may rely on them.

import {
  type DescMessage,
  type JsonValue,
  type MessageShape,
  fromJsonString,
  toJson,
} from "@bufbuild/protobuf";
import {
  type DescribePoolResponse,
  DescribePoolResponseSchema,
  type ExplainResponse,
  ExplainResponseSchema,
  type LeaseBook,
  LeaseBookSchema,
  type ListResponse,
  ListResponseSchema,
} from "@fairlead/proto";

/** A list as a JSON value; empty fields are there too, so that a path always exists. */
export function listToJson(list: ListResponse): JsonValue {
  return toJson(ListResponseSchema, list, { alwaysEmitImplicit: true });
}

/** One row of a list as a JSON value, in the form that it has there. */
export function rowToJson<Row extends DescMessage>(schema: Row, row: MessageShape<Row>): JsonValue {
  return toJson(schema, row, { alwaysEmitImplicit: true });
}

/** Leases as a JSON value: the form of files. */
export function leaseBookToJson(book: LeaseBook): JsonValue {
  return toJson(LeaseBookSchema, book, { alwaysEmitImplicit: true });
}

/** Leases out of JSON text. Throws with words for people when it has another form. */
export function leaseBookFromJson(text: string): LeaseBook {
  return fromJsonString(LeaseBookSchema, text);
}

/** A chain as a JSON value. */
export function explainToJson(answer: ExplainResponse): JsonValue {
  return toJson(ExplainResponseSchema, answer, { alwaysEmitImplicit: true });
}

/** Pools with all that is known of them as a JSON value. */
export function poolsToJson(answer: DescribePoolResponse): JsonValue {
  return toJson(DescribePoolResponseSchema, answer, { alwaysEmitImplicit: true });
}
