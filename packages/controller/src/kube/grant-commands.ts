// The commands that give a right which an API server says is missing, to whom it says lacks it, so
// that people can paste them. Given its error. Pure.

/** What is to be granted. */
export interface Grant {
  /** `fairlead-read-services`, of the role and of its binding. */
  readonly role: string;
  /** As kubectl takes them: `get,list,watch`. */
  readonly verbs: string;
  /** As kubectl takes it: `endpointslices.discovery.k8s.io`. */
  readonly resource: string;
}

/** As an authorizer says it; others that forbid say their own. */
const USER = /\bUser "([^"]+)" cannot \w+ resource "/u;
const SERVICE_ACCOUNT = /^system:serviceaccount:([a-z0-9-]+:[a-z0-9.-]+)$/u;
/** Names that mean nothing to a shell. */
const PLAIN = /^[\w.:@-]+$/u;

/** Whether it is forbidden for lack of a right, and not for what the object is or where. */
export function isRightMissing(error: Error): boolean {
  return USER.test(error.message);
}

/** The commands, with `; ` between them; undefined where no right of RBAC is missing. */
export function grantCommands({ role, verbs, resource }: Grant, error: Error): string | undefined {
  const user = USER.exec(error.message)?.[1];
  if (user === undefined) return undefined;
  const make = `kubectl create clusterrole ${role} --verb=${verbs} --resource=${resource}`;
  const account = SERVICE_ACCOUNT.exec(user)?.[1];
  const whom = account === undefined ? `--user=${user}` : `--serviceaccount=${account}`;
  const bind = PLAIN.test(user)
    ? `kubectl create clusterrolebinding ${role} --clusterrole=${role} ${whom}`
    : "bind that to the user named here";
  return `${make}; ${bind}`;
}

/** Said instead of commands, where there are none. */
export const NO_RIGHT = "what forbids it is said here; it is no right of RBAC";
