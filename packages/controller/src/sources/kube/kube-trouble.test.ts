// What an operator reads when a kind cannot be followed for want of a right: the server's words,
// and commands that give the right to whom the server names.

import assert from "node:assert/strict";
import { test } from "node:test";

import { answerError } from "../../kube/kube-errors.ts";
import { troubleFinding } from "./kube-trouble.ts";

const SERVICES = { resource: "services", group: "" };
const SLICES = { resource: "endpointslices", group: "discovery.k8s.io" };
const AT = { isSynced: false, isMissed: false };

function detailOf(
  kind: { readonly resource: string; readonly group: string },
  words: string,
): string {
  const path = `/apis/${kind.group}/v1/${kind.resource}`;
  const answer = { status: 403, retryAfter: undefined, body: { message: words } };
  const error = answerError({ method: "GET", path }, answer);
  return troubleFinding(kind, error, AT).detail;
}

function cannot(user: string, { resource, group }: typeof SERVICES): string {
  const what = `cannot list resource "${resource}" in API group "${group}" at the cluster scope`;
  return `${resource} is forbidden: User "${user}" ${what}`;
}

const GRANTS = [
  {
    name: "a user of a kubeconfig",
    user: "fairlead",
    kind: SERVICES,
    commands: [
      "kubectl create clusterrole fairlead-read-services --verb=get,list,watch --resource=services",
      "kubectl create clusterrolebinding fairlead-read-services " +
        "--clusterrole=fairlead-read-services --user=fairlead",
    ],
  },
  {
    name: "a service account, for a kind of a group",
    user: "system:serviceaccount:fairlead-system:controller",
    kind: SLICES,
    commands: [
      "kubectl create clusterrole fairlead-read-endpointslices --verb=get,list,watch " +
        "--resource=endpointslices.discovery.k8s.io",
      "kubectl create clusterrolebinding fairlead-read-endpointslices " +
        "--clusterrole=fairlead-read-endpointslices " +
        "--serviceaccount=fairlead-system:controller",
    ],
  },
  {
    name: "a name that a shell would not take as it is, which is left to the reader",
    user: "oidc:it's me",
    kind: SERVICES,
    commands: [
      "kubectl create clusterrole fairlead-read-services --verb=get,list,watch --resource=services",
      "bind that to the user named here",
    ],
  },
];

for (const { name, user, kind, commands } of GRANTS) {
  test(`a right to read that is missing is told with the commands that give it to ${name}`, () => {
    const detail = detailOf(kind, cannot(user, kind));
    const [said = "", granted] = detail.split("; grant it: ");
    assert.ok(said.includes(cannot(user, kind)), detail);
    assert.equal(granted, [...commands, "nothing is planned before it was listed"].join("; "));
  });
}

test("what is forbidden by something other than RBAC is told without commands", () => {
  const detail = detailOf(SERVICES, "services is forbidden: the gateway says no");
  assert.match(
    detail,
    /the gateway says no; what forbids it is said here; it is no right of RBAC;/u,
  );
  assert.doesNotMatch(detail, /kubectl/u);
});
