{{- define "city-presence.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- /* The beginning of every name. 40 characters leave room for what is put behind it. */ -}}
{{- define "city-presence.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "city-presence.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "city-presence.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "city-presence.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "city-presence.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "city-presence.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: citypresence
{{- end -}}

{{- define "city-presence.selectorLabels" -}}
app.kubernetes.io/name: {{ include "city-presence.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "city-presence.natsSelectorLabels" -}}
app.kubernetes.io/name: {{ include "city-presence.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: nats
{{- end -}}

{{- /* (dict "root" . "image" .Values.images.operator "fallback" .Chart.AppVersion) -> what a pod names */ -}}
{{- define "city-presence.image" -}}
{{- $registry := .root.Values.images.registry -}}
{{- $name := .image.repository -}}
{{- if $registry }}{{ $name = printf "%s/%s" (trimSuffix "/" $registry) $name }}{{ end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $name .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (.image.tag | default .fallback) -}}
{{- end -}}
{{- end -}}

{{- define "city-presence.operatorImage" -}}
{{- include "city-presence.image" (dict "root" . "image" .Values.images.operator "fallback" .Chart.AppVersion) -}}
{{- end -}}

{{- /* The restricted profile of Kubernetes, and nothing to write on. */ -}}
{{- define "city-presence.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "city-presence.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "city-presence.pullSecrets" -}}
{{- range .Values.images.pullSecrets }}
- name: {{ . }}
{{- end }}
{{- end -}}

{{- /*
What the operator may do where cities are: exactly what operator/src/core/kube-kinds.ts and edge/kube-api.ts ask for. To apply
an object takes patch, and create where there is none. A Role that it makes may hold only what it holds itself.
*/ -}}
{{- define "city-presence.cityRules" -}}
- apiGroups: [presence.daarion.city]
  resources: [citypresences]
  verbs: [get, list, watch]
- apiGroups: [presence.daarion.city]
  # get: what the aggregators get by their Role.
  resources: [citypresences/status]
  verbs: [get, patch]
# Owner references that block deletion need it where the cluster checks them.
- apiGroups: [presence.daarion.city]
  resources: [citypresences/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [configmaps, serviceaccounts, services]
  verbs: [get, list, watch, create, patch, delete]
{{- if .Values.rbac.readSecrets }}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
{{- end }}
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [ingresses, networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [podmonitors, prometheusrules]
  verbs: [get, list, watch, create, patch, delete]
# update, and get above: what the aggregators get by their Role.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [get, list, watch, create, patch, delete]
{{- end -}}

{{- define "city-presence.testPod" -}}
restartPolicy: Never
automountServiceAccountToken: false
enableServiceLinks: false
{{- with include "city-presence.pullSecrets" . }}
imagePullSecrets:
  {{- . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "city-presence.podSecurity" . | nindent 2 }}
{{- end -}}

{{- define "city-presence.testContainer" -}}
image: {{ include "city-presence.operatorImage" . }}
imagePullPolicy: {{ .Values.images.pullPolicy }}
command: [/usr/local/bin/node]
resources:
  requests: { cpu: 10m, memory: 64Mi }
  limits: { memory: 128Mi }
securityContext:
  {{- include "city-presence.containerSecurity" . | nindent 2 }}
volumeMounts:
  - name: test
    mountPath: /test
    readOnly: true
{{- end -}}
