// Publishes to a cluster: the status of each Service, the finalizer that keeps it until its
// addresses are free, and Events. Given the book of Services, and a client to write by. Wanted is
// the newest publication; there is what the book shows, overlaid by the answers to our own writes.
// Whatever differs is written, for each Service by itself, for as long as it differs: a lost
// message, a conflict, a hand in between or a restart costs a look and nothing more.

import { type ClaimId, claimId } from "@fairlead/model";
import type { Clock } from "@fairlead/runtime";

import type { KubeClient } from "../../kube/kube-client.ts";
import type { ServiceBook, ServiceRecord } from "../../kube/service-record.ts";
import type { Publication, Publisher } from "../../ports.ts";
import { emptyExternal, type LeftBehind } from "./empty-external.ts";
import { createEventRecorder } from "./event-recorder.ts";
import { createEventTeller } from "./event-teller.ts";
import { whyNoExternalIPs } from "./external-ips.ts";
import { ExternalRefusals } from "./external-refusals.ts";
import { createLooks } from "./looks.ts";
import { createTroubles, type PublishTrouble } from "./publish-trouble.ts";
import { createServiceView } from "./service-view.ts";
import { createServiceWriter } from "./service-writer.ts";
import { type WantedService, WantedServices } from "./wanted-service.ts";
import type { OnWrite } from "./write-result.ts";

/** Finding about Services whose writes fail. */
const WRITES = "kubernetes writes";

/** How a cluster is published to. */
export interface KubePublisherOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Services as they were seen last; it has been listed whole before the first publication. */
  readonly book: ServiceBook;
  /** Whether what is ours in `spec.externalIPs` goes when the publisher ends. Default: no. */
  readonly emptiesOnExit?: boolean;
  /** Told at the end what of it could not be taken out. Default: nobody is told. */
  readonly onLeft?: (left: readonly LeftBehind[]) => void;
  /** Who reports Events: the name of the pod or the host, at most 128 characters. */
  readonly instance: string;
  /** Told when something keeps us from writing, and when it does so no longer. */
  readonly onTrouble: (trouble: PublishTrouble) => void;
  /** For metrics. Default: nobody is told. */
  readonly onWrite?: OnWrite;
  /** An Event was dropped. Default: nobody is told. */
  readonly onDropped?: () => void;
}

/** Makes the publisher; nothing is written before the first publication. */
export function createKubePublisher(options: KubePublisherOptions): Publisher & AsyncDisposable {
  const { book, onTrouble, onWrite = () => undefined, onDropped = () => undefined } = options;
  let newest: Publication | undefined;
  let wanted = new WantedServices();
  const looks = createLooks(look);

  const view = createServiceView(book);
  const troubles = createTroubles(onTrouble, WRITES);
  const recorder = createEventRecorder({ ...options, troubles, onWrite, onDropped });
  let refusals = new ExternalRefusals();
  const wantedOf = (id: ClaimId): WantedService | undefined =>
    newest && refusals.in(id, wanted.get(id));
  const onExternal = (id: ClaimId, denied: string | undefined): void => {
    refusals.answered(id, denied);
    teller.look(id);
  };
  const writer = createServiceWriter({ ...options, view, wantedOf, troubles, onWrite, onExternal });
  const teller = createEventTeller({
    ...options,
    view,
    recorder,
    wantedOf,
    publication: () => newest,
  });

  function look(id: ClaimId): void {
    // What the record says counts as told, so it is looked at before it is written.
    teller.look(id);
    writer.look(id);
  }

  /** On a node nothing may stand there; that is said once, and what stood there goes. */
  function judgeExternal({ agents }: Publication): void {
    const ids = [...wanted.withExternal()];
    if (ids.length > 0) book.followNodes?.();
    const why = ids.length === 0 ? undefined : whyNoExternalIPs(agents, book.nodeAddresses?.());
    troubles.externalIPs(why);
    if (refusals.judge(why, ids)) for (const id of ids) looks.add(id);
  }

  const unsubscribe = book.subscribe((namespace, name) => looks.add(idOf({ namespace, name })));
  // A host that becomes a node changes no plan.
  const unsubscribeNodes = book.subscribeNodes?.(() => newest && judgeExternal(newest));

  return {
    name: "kubernetes",
    /**
     * Takes what is wanted and returns at once: a server that is slow or away may hold back neither
     * the loop nor another publisher, and what could not be written is tried again here.
     */
    publish: (publication) => {
      const isFirst = newest === undefined;
      newest = publication;
      for (const id of wanted.follow(publication)) looks.add(id);
      judgeExternal(publication);
      // What an earlier life left on Services that ask for nothing any more.
      if (isFirst) for (const record of book.marked()) looks.add(idOf(record));
      return Promise.resolve();
    },
    // Of a Service of which nothing is wanted nothing is written.
    pause: () => {
      newest = undefined;
      wanted = new WantedServices();
      refusals = new ExternalRefusals();
      troubles.externalIPs(undefined);
      teller.forget();
      recorder.forget();
    },
    [Symbol.asyncDispose]: async () => {
      if (options.emptiesOnExit === true && newest !== undefined) {
        refusals.judge("it ends", wanted.withExternal());
        const left = await emptyExternal({ book, view, look, clock: options.clock });
        if (left.length > 0) options.onLeft?.(left);
      }
      unsubscribe();
      unsubscribeNodes?.();
      looks[Symbol.dispose]();
      teller[Symbol.dispose]();
      await Promise.all([writer[Symbol.asyncDispose](), recorder[Symbol.asyncDispose]()]);
    },
  };
}

/** Undefined for a name that is none of a Service's. */
function idOf(service: Pick<ServiceRecord, "namespace" | "name">): ClaimId | undefined {
  return claimId("service", service.namespace, service.name);
}
