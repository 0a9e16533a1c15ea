// What kwok does with nodes and pods: a node becomes Ready, a pod on a node becomes Ready with an
// address, and one that is to be deleted goes at once. A pod or node that somebody has said to be
// not Ready stays so, or a test could not say it.

const READY = '.status.conditions.[] | select( .type == "Ready" ) | .status';

const CONDITION = `- type: Ready
        status: "True"
        lastTransitionTime: {{ Now | Quote }}`;

/** The stages, as kwok reads them from its configuration. */
export const KWOK_STAGES: string = `apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata:
  name: node-ready
spec:
  resourceRef:
    apiGroup: v1
    kind: Node
  selector:
    matchExpressions:
    - key: '${READY}'
      operator: DoesNotExist
  next:
    statusTemplate: |
      phase: Running
      conditions:
      ${CONDITION}
      {{ if not .status.addresses }}
      addresses:
      - type: InternalIP
        address: {{ NodeIP | Quote }}
      - type: Hostname
        address: {{ .metadata.name | Quote }}
      {{ end }}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata:
  name: pod-ready
spec:
  resourceRef:
    apiGroup: v1
    kind: Pod
  selector:
    matchExpressions:
    - key: .metadata.deletionTimestamp
      operator: DoesNotExist
    - key: .status.podIP
      operator: DoesNotExist
  next:
    statusTemplate: |
      phase: Running
      startTime: {{ Now | Quote }}
      conditions:
      ${CONDITION}
      {{ $ips := PodIPsWith .spec.nodeName false .metadata.uid .metadata.name .metadata.namespace }}
      podIP: {{ index $ips 0 | Quote }}
      podIPs:
      {{ range $ips }}
      - ip: {{ . | Quote }}
      {{ end }}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata:
  name: pod-delete
spec:
  resourceRef:
    apiGroup: v1
    kind: Pod
  selector:
    matchExpressions:
    - key: .metadata.deletionTimestamp
      operator: Exists
  next:
    delete: true
`;
