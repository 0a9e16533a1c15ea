// What the agent's loop needs of the kernel for members: the table that nginx connects by, and the
// flows that came of it. Adapters implement these in folders named after their technology.

import type {
  Address,
  Family,
  ListenerResource,
  MemberSetResource,
  Protocol,
  Remark,
  ResourceName,
  Revision,
} from "@fairlead/model";
import type { ServicePlace } from "@fairlead/render";

/** A listener whose members stand in the kernel's table. */
export interface PlacedMembers {
  readonly listener: ListenerResource;
  readonly members: MemberSetResource;
  readonly membersRevision: Revision;
  readonly place: ServicePlace;
}

/** One slot as the kernel has it. */
export interface TableSlot {
  readonly service: Address;
  readonly protocol: Protocol;
  /** 1 to 1020. */
  readonly slot: number;
  readonly member: Address;
  readonly memberPort: number;
}

/** The kernel's table of members: what nginx connects to, and who answers there. */
export interface MemberTable extends AsyncDisposable {
  /**
   * Gives each listener a place, the same as before where it had one; nginx may name it only then.
   * Those whose members are not of one family have none. Rejects with EdgeError "RUN_DIR".
   * @param listeners by their names. A map that was patched from the last one costs its patch.
   */
  place(
    listeners: ReadonlyMap<ResourceName, Pick<PlacedMembers, "listener" | "members">>,
  ): Promise<ReadonlyMap<ResourceName, ServicePlace>>;
  /**
   * Makes the table hold exactly these, in one transaction; what is the same is not touched. No
   * connection that there is changes its member. Rejects with EdgeError "NFT", nothing changed.
   * @param listeners by their service addresses. A map that was patched costs its patch here too.
   */
  fill(listeners: ReadonlyMap<Address, PlacedMembers>): Promise<void>;
  /**
   * Whether the last filling failed and the kernel is known to lead nobody to a member by then. A
   * table that is as it was before leads on, and of one that cannot be asked for nothing is known.
   */
  readonly isLost: boolean;
  /** Somebody else changed the table: it is to be filled again. */
  onDrift(listener: () => void): Disposable;
}

/** Service addresses of a family that do not lead to the table. */
export interface Unrouted {
  readonly family: Family;
  /** Why they cannot be made to. */
  readonly remark: Remark;
}

/** The routes by which nginx reaches the table of members. */
export interface ServiceRoutes extends AsyncDisposable {
  /**
   * Families of which no connection reaches the table, after what was missing was put back. Never
   * rejects; asked again and again it gives the same object while nothing changes.
   */
  unrouted(): Promise<readonly Unrouted[]>;
}

/** The table as people see it. */
export interface MemberTableView {
  /** The slots as the kernel has them now. Rejects with EdgeError "NFT". */
  slots(): Promise<readonly TableSlot[]>;
  /** Places of the listeners that were placed last, by the listener's name. */
  readonly places: ReadonlyMap<ResourceName, ServicePlace>;
}

/** A flow of nginx's to a member, as the kernel tracks it. */
export interface MemberFlow {
  readonly protocol: Protocol;
  /** What nginx speaks from: the listener. */
  readonly service: Address;
  readonly servicePort: number;
  /** What nginx speaks to, and its port: the slot at the time of its first packet. */
  readonly target: Address;
  readonly slot: number;
  /** Who answers. */
  readonly member: Address;
  readonly memberPort: number;
}

/** The flows of nginx's to members. */
export interface MemberFlows extends AsyncDisposable {
  /** Those of listeners in the kernel's table, of all that the host has. */
  list(): Promise<readonly MemberFlow[]>;
  /**
   * Ends them. Of TCP nginx and the member get a reset, where the kernel can; else whoever of them
   * sends next. The next datagram of UDP goes to whoever has the slot then. One that is gone
   * already is left out.
   */
  end(flows: readonly MemberFlow[]): Promise<void>;
}

/** Connections of clients to the listeners of the host. */
export interface ClientConnections extends AsyncDisposable {
  /**
   * Resets those of TCP that speak to these addresses: nginx gives them up, and the client learns
   * of it. UDP has none. Those of an address that the host has again are left alone. Rejects with
   * EdgeError<KernelErrorCode>.
   * @returns how many.
   */
  end(addresses: readonly Address[]): Promise<number>;
}
