// Messages of the stream, both ways, as unions of the model's types. Whole messages are read here
// once; a message that makes no sense is a refusal, and the receiver ends the stream.

import { create } from "@bufbuild/protobuf";
import { type AgentHello, assertNever, type ResourceName, type Revision } from "@fairlead/model";
import * as pb from "@fairlead/proto";
import { revisionFromBytes, revisionToBytes } from "./address-bytes.ts";
import { type Decoded, complete, counter, decodeAll, ok, refused, within } from "./decoded.ts";
import { decodeHello, encodeHello } from "./hello-codec.ts";
import { parseResourceName } from "./resource-name.ts";
import { type Ack, decodeAck, decodeUpdate, encodeAck, encodeUpdate } from "./update-codec.ts";
import type { IncomingUpdate, OutgoingUpdate } from "./update-codec.ts";

/** What an agent has, by name. */
export type Inventory = ReadonlyMap<ResourceName, Revision>;

/** What the controller answers to hello. */
export interface Welcome {
  /** 0 when the controller has no plans yet. */
  readonly epoch: number;
  readonly version: string;
  /** 100 to 600 000. */
  readonly heartbeatIntervalMs: number;
  /** The report that hello named is known here: the next one may be a difference from it. */
  readonly reportKnown: boolean;
}

/** A message from an agent. A report is folded by `decodeReport`, which needs the one before. */
export type FromAgent =
  | {
      readonly kind: "hello";
      readonly hello: AgentHello;
      /** Of the last report that this process sent; see `reportDigest`. */
      readonly reportDigest: string | undefined;
    }
  | { readonly kind: "inventory"; readonly inventory: Inventory }
  | { readonly kind: "ack"; readonly ack: Ack }
  | { readonly kind: "report"; readonly report: pb.Report }
  | { readonly kind: "heartbeat" }
  | { readonly kind: "leaving" };

/**
 * What a heartbeat of the controller asks of an agent: to look at its host and to answer at once,
 * or to tell the segments of its lanes which addresses it has.
 */
export type Wish = "answer" | "announcement";

/** A message from the controller, as the agent reads it. */
export type FromController =
  | { readonly kind: "welcome"; readonly welcome: Welcome }
  | { readonly kind: "inventory-wanted" }
  | { readonly kind: "update"; readonly update: IncomingUpdate }
  | { readonly kind: "heartbeat"; readonly wish: Wish | undefined };

/** A message from the controller, as the controller makes it. */
export type ToAgent =
  | Exclude<FromController, { kind: "update" }>
  | { readonly kind: "update"; readonly update: OutgoingUpdate };

const HEARTBEAT_MS_MIN = 100;
const HEARTBEAT_MS_MAX = 600_000;

/** Makes an agent's message. */
export function encodeFromAgent(message: FromAgent): pb.SyncRequest {
  return create(pb.SyncRequestSchema, { message: requestOf(message) });
}

/** Reads an agent's message. */
export function decodeFromAgent({ message }: pb.SyncRequest): Decoded<FromAgent> {
  switch (message.case) {
    case "hello": {
      const hello = decodeHello(message.value);
      if (hello.kind === "refused") return hello;
      const reportDigest = revisionFromBytes(message.value.reportDigest);
      return ok({ kind: "hello", hello: hello.value, reportDigest });
    }
    case "inventory": {
      const inventory = decodeInventory(message.value);
      if (inventory.kind === "refused") return inventory;
      return ok({ kind: "inventory", inventory: inventory.value });
    }
    case "ack": {
      const ack = decodeAck(message.value);
      return ack.kind === "refused" ? ack : ok({ kind: "ack", ack: ack.value });
    }
    case "report":
      return ok({ kind: "report", report: message.value });
    case "heartbeat":
      return ok({ kind: "heartbeat" });
    case "leaving":
      return ok({ kind: "leaving" });
    case undefined:
      return refused("message of an unknown kind");
    default:
      return assertNever(message, "kinds of messages");
  }
}

/** Makes a controller's message. */
export function encodeToAgent(message: ToAgent): pb.SyncResponse {
  return create(pb.SyncResponseSchema, { message: responseOf(message) });
}

/** Reads a controller's message. */
export function decodeFromController({ message }: pb.SyncResponse): Decoded<FromController> {
  switch (message.case) {
    case "welcome": {
      const welcome = decodeWelcome(message.value);
      return welcome.kind === "refused" ? welcome : ok({ kind: "welcome", welcome: welcome.value });
    }
    case "inventoryWanted":
      return ok({ kind: "inventory-wanted" });
    case "update": {
      const update = decodeUpdate(message.value);
      return update.kind === "refused" ? update : ok({ kind: "update", update: update.value });
    }
    case "heartbeat":
      return ok({ kind: "heartbeat", wish: wishOf(message.value.wish) });
    case undefined:
      return refused("message of an unknown kind");
    default:
      return assertNever(message, "kinds of messages");
  }
}

const WISHES: Readonly<Record<Wish, pb.Wish>> = {
  answer: pb.Wish.ANSWER,
  announcement: pb.Wish.ANNOUNCEMENT,
};

/** One of a later release is none. */
function wishOf(wish: pb.Wish): Wish | undefined {
  if (wish === pb.Wish.ANSWER) return "answer";
  return wish === pb.Wish.ANNOUNCEMENT ? "announcement" : undefined;
}

function requestOf(message: FromAgent): pb.SyncRequest["message"] {
  switch (message.kind) {
    case "hello":
      return { case: "hello", value: encodeHello(message.hello, message.reportDigest) };
    case "inventory":
      return { case: "inventory", value: encodeInventory(message.inventory) };
    case "ack":
      return { case: "ack", value: encodeAck(message.ack) };
    case "report":
      return { case: "report", value: message.report };
    case "heartbeat":
      return { case: "heartbeat", value: create(pb.HeartbeatSchema) };
    case "leaving":
      return { case: "leaving", value: create(pb.LeavingSchema) };
    default:
      return assertNever(message, "kinds of messages");
  }
}

function responseOf(message: ToAgent): pb.SyncResponse["message"] {
  switch (message.kind) {
    case "welcome": {
      const { epoch, ...rest } = message.welcome;
      const value = create(pb.WelcomeSchema, { epoch: BigInt(epoch), ...rest });
      return { case: "welcome", value };
    }
    case "inventory-wanted":
      return { case: "inventoryWanted", value: create(pb.InventoryWantedSchema) };
    case "update":
      return { case: "update", value: encodeUpdate(message.update) };
    case "heartbeat":
      return {
        case: "heartbeat",
        value: create(pb.HeartbeatSchema, {
          wish: message.wish === undefined ? pb.Wish.UNSPECIFIED : WISHES[message.wish],
        }),
      };
    default:
      return assertNever(message, "kinds of messages");
  }
}

function decodeWelcome(message: pb.Welcome): Decoded<Welcome> {
  return complete("welcome", {
    epoch: counter(message.epoch),
    version: message.version.slice(0, 128),
    heartbeatIntervalMs: within(message.heartbeatIntervalMs, HEARTBEAT_MS_MIN, HEARTBEAT_MS_MAX),
    reportKnown: message.reportKnown,
  });
}

function encodeInventory(inventory: Inventory): pb.Inventory {
  const entries = Array.from(inventory, ([name, revision]) =>
    create(pb.InventoryEntrySchema, { name, revision: revisionToBytes(revision) }),
  );
  return create(pb.InventorySchema, { entries });
}

function decodeInventory(message: pb.Inventory): Decoded<Inventory> {
  const entries = decodeAll(message.entries, (entry) =>
    complete("inventory", {
      name: parseResourceName(entry.name)?.name,
      revision: revisionFromBytes(entry.revision),
    }),
  );
  if (entries.kind === "refused") return entries;
  return ok(new Map(entries.value.map(({ name, revision }) => [name, revision])));
}
