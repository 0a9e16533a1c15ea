// What the agent's loop needs of the daemons and of their supervisor; a part of its ports. Types
// alone.

import type { Address, DeviceName, Remark } from "@fairlead/model";

import type { ListenPlace } from "./listen-place.ts";

/** What became of handing a configuration to a daemon. */
export type ApplyOutcome =
  /** The daemon runs with it, proved. `generation` for nginx. */
  | { readonly kind: "applied"; readonly reloaded: boolean }
  /** Its checker or the daemon itself refused it; what ran before still runs. */
  | { readonly kind: "refused"; readonly remark: Remark };

/** The same of nginx. */
export type NginxOutcome =
  | ApplyOutcome
  /** It neither took nor refused it in its time; what ran before still runs. */
  | { readonly kind: "undecided"; readonly remark: Remark };

/** keepalived under its supervisor. */
export interface KeepalivedDaemon {
  /**
   * Checks, swaps and reloads the file, and starts the daemon where none runs. Unchanged text with
   * a living daemon does nothing.
   * @param vipCount VIPs in `text`: a file that holds another number is never handed over.
   * @param rereads whether a living daemon reads even unchanged text again. Default: no.
   */
  apply(text: string, vipCount: number, rereads?: boolean): Promise<ApplyOutcome>;
  /**
   * Begins to check a text that the next `apply` will most likely bring, which then need not check
   * it any more. It touches neither the file nor the daemon. Absent: checked when applied.
   */
  expect?(text: string): void;
  alive(): Promise<boolean>;
  /** The VIPs that a living daemon may have put on devices, by its files; of a dead one none. */
  carries(): Promise<readonly CarriedVip[]>;
  /** Ends the daemon gracefully: it gives its addresses up with priority 0. */
  stop(): Promise<void>;
}

/** A VIP of keepalived's files. */
export interface CarriedVip {
  readonly address: Address;
  readonly link: DeviceName;
}

/** One instance of nginx under its supervisor: there is one for TCP and one for UDP. */
export interface NginxDaemon {
  /**
   * Checks, swaps and reloads, then waits until the generation with this id answers; rolls back
   * to the file before when it does not. Unchanged text with the generation answering does nothing,
   * unless that miscounts.
   * What is not decided in its time gets more of it the next time.
   * @param news the same file with what is new in it alone. It is checked instead where the rest
   *   was proved before, by this very process: a check of all costs as much as the reload.
   */
  apply(text: string, generation: string, news?: string): Promise<NginxOutcome>;
  /**
   * Why its checker does not take a file; undefined when it does, which does not say that a reload
   * goes well. What is in force stays.
   */
  check(text: string): Promise<Exclude<NginxOutcome, { kind: "applied" }> | undefined>;
  /**
   * Id of the generation that answers now; undefined when none does.
   * @param agoMsMax an answer of the file in force that is no older is as good, in ms. Default 0.
   */
  generation(agoMsMax?: number): Promise<string | undefined>;
  /** Places that its file listens on; none when it has no file. */
  places(): Promise<ReadonlySet<ListenPlace>>;
  /**
   * Resolves when no worker of the generation before takes new connections, 100 ms after a reload;
   * at the latest after a second.
   */
  retired(): Promise<void>;
  /**
   * Generations with living workers: the serving one, then those that end, the oldest last. Those
   * that a late look finds to be too many are ended by it, and are not among them.
   */
  generationsAlive(): Promise<readonly LivingGeneration[]>;
  /** Ends it; its file stays. */
  stop(): Promise<void>;
  /** Ends it for good, with its file: there is nothing to serve. Harmless when it never ran. */
  end(): Promise<void>;
}

/** A generation of nginx with living workers. */
export interface LivingGeneration {
  /** Whether it takes new connections; else it ends with the connections that it has. */
  readonly isServing: boolean;
  readonly workers: number;
  /** Anonymous memory of its workers; what they share counts for each. */
  readonly memoryBytes: number;
  /** Since its first worker started. */
  readonly ageMs: number;
  /** A worker died with connections that stay counted against limits until the next `apply`. */
  readonly miscounts?: boolean;
}

/** The supervisor of the data plane, which outlives the agent. */
export interface DataPlaneSupervisor {
  /** Adopts the living supervisor of the run directory, or starts one in a session of its own. */
  ensure(): Promise<void>;
  /** Ends daemons and supervisor; addresses are given up first. */
  end(): Promise<void>;
}
