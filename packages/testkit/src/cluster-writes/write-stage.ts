// Where stories of our writes play: a cluster in which Services are made and changed by hand, and
// the client by which we write. Implemented here over HTTP, for the stub and for a real API server;
// a cluster in memory has its own beside it.

import { isKubeError, type KubeClient } from "@fairlead/controller";

import { childOf, defined, isJson, type Json } from "../kube-stub/json-tree.ts";

/** What of a Service a hand writes. Lists are written whole; what is left out stays. */
export interface HandWritten {
  readonly type?: "LoadBalancer" | "ClusterIP";
  readonly finalizers?: readonly string[];
  readonly externalIPs?: readonly string[];
  /** Addresses in its status. */
  readonly ingress?: readonly string[];
  /** Conditions in its status. */
  readonly conditions?: readonly Json[];
}

/** A stage. It has one namespace of its own, in which there is nothing at first. */
export interface WriteStage extends AsyncDisposable {
  readonly namespace: string;
  /** As the controller asks, with the rights that it has. */
  readonly client: KubeClient;
  /** As somebody asks who has no rights at all. */
  readonly stranger: KubeClient;
  /** Makes a Service, of type LoadBalancer unless told otherwise. */
  create(name: string, made?: HandWritten): Promise<void>;
  edit(name: string, change: HandWritten, manager?: string): Promise<void>;
  /** Deletes a Service as kubectl does. */
  remove(name: string): Promise<void>;
  /** A Service as the server has it; undefined: there is none. */
  look(name: string): Promise<Json | undefined>;
  /** An Event, in the same way. */
  lookAtEvent(name: string): Promise<Json | undefined>;
}

/** The part of a stage that is the same over every server. `admin` may do everything. */
export function writeStageOver(
  admin: KubeClient,
  namespace: string,
): Omit<WriteStage, "client" | "stranger" | keyof AsyncDisposable> {
  const services = `/api/v1/namespaces/${namespace}/services`;
  const events = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
  const look = (path: string): Promise<Json | undefined> => found(admin, path);
  const patch = async (path: string, manager: string, body: Json): Promise<void> => {
    if (Object.keys(body).length === 0) return;
    const query = { fieldManager: manager };
    const contentType = "application/merge-patch+json";
    await admin.request({ method: "PATCH", path, query, contentType, body });
  };
  return {
    namespace,
    create: async (name, made = {}) => {
      const { object, status } = handBodies({ type: "LoadBalancer", ...made });
      const spec = { ports: [{ port: 80, protocol: "TCP" }], ...childOf(object, "spec") };
      const metadata = { name, namespace, ...childOf(object, "metadata") };
      const body = { apiVersion: "v1", kind: "Service", metadata, spec };
      const query = { fieldManager: "kubectl-create" };
      await admin.request({ method: "POST", path: services, query, body });
      await patch(`${services}/${name}/status`, "kubectl-create", status);
    },
    edit: async (name, change, manager = "kubectl-edit") => {
      const { object, status } = handBodies(change);
      await patch(`${services}/${name}`, manager, object);
      await patch(`${services}/${name}/status`, manager, status);
    },
    remove: async (name) => {
      await admin.request({ method: "DELETE", path: `${services}/${name}` });
    },
    look: (name) => look(`${services}/${name}`),
    lookAtEvent: (name) => look(`${events}/${name}`),
  };
}

/** What of it goes to the object, and what to its status. */
function handBodies(written: HandWritten): { readonly object: Json; readonly status: Json } {
  const { type, finalizers, externalIPs, ingress, conditions } = written;
  const loadBalancer = ingress && { ingress: ingress.map((ip) => ({ ip })) };
  const parts = {
    metadata: defined({ finalizers }),
    spec: defined({ type, externalIPs }),
    status: defined({ loadBalancer, conditions }),
  };
  const { status, ...object } = filled(parts);
  return { object, status: status === undefined ? {} : { status } };
}

/** Without parts that say nothing. */
function filled(parts: Readonly<Record<string, Json>>): Json {
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => Object.keys(part).length));
}

async function found(client: KubeClient, path: string): Promise<Json | undefined> {
  try {
    const object = await client.request({ method: "GET", path });
    return isJson(object) ? object : undefined;
  } catch (error) {
    if (isKubeError(error, "NOT_FOUND")) return undefined;
    throw error;
  }
}
