{{- define "trailwarden.name" -}}
{{- if contains "trailwarden" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-trailwarden" (.Release.Name | trunc 40 | trimSuffix "-") }}{{ end }}
{{- end }}

{{- define "trailwarden.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "trailwarden.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "trailwarden.name" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{/* Labels of one process; called with a dict of root and verb. */}}
{{- define "trailwarden.selector" -}}
app.kubernetes.io/name: trailwarden
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .verb }}
{{- end }}

{{- define "trailwarden.labels" -}}
{{ include "trailwarden.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* The settings of one process, sorted: its own over the common ones; secrets and files by path. */}}
{{- define "trailwarden.env" -}}
{{- $brokers := required "settings.KAFKA_BROKERS is needed" .root.Values.settings.KAFKA_BROKERS }}
{{- $registry := required "settings.SCHEMA_REGISTRY_URL is needed" .root.Values.settings.SCHEMA_REGISTRY_URL }}
{{- range $name, $value := merge (dict "HTTP_HOST" "0.0.0.0") .settings .root.Values.settings }}
- { name: {{ $name }}, value: {{ $value | toString | quote }} }
{{- end }}
{{- range $name, $_ := .root.Values.secrets }}
- { name: {{ $name }}_FILE, value: /run/secrets/trailwarden/{{ $name }} }
{{- end }}
{{- range $name, $_ := .root.Values.files }}
- { name: {{ $name }}, value: /run/files/trailwarden/{{ $name }} }
{{- end }}
{{- if .root.Values.rules.configMap }}
- { name: RULES, value: /etc/trailwarden/rules }
{{- end }}
{{- if .root.Values.suppressions.configMap }}
- { name: SUPPRESSIONS, value: /etc/trailwarden/suppressions/{{ .root.Values.suppressions.key }} }
{{- end }}
{{- end }}

{{- define "trailwarden.mounts" -}}
{{- if .Values.secrets }}
- { name: secrets, mountPath: /run/secrets/trailwarden, readOnly: true }
{{- end }}
{{- if .Values.files }}
- { name: files, mountPath: /run/files/trailwarden, readOnly: true }
{{- end }}
{{- if .Values.rules.configMap }}
- { name: rules, mountPath: /etc/trailwarden/rules, readOnly: true }
{{- end }}
{{- if .Values.suppressions.configMap }}
- { name: suppressions, mountPath: /etc/trailwarden/suppressions, readOnly: true }
{{- end }}
{{- end }}

{{- define "trailwarden.volumes" -}}
{{- with .Values.secrets }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $name, $from := . }}
      - secret: { name: {{ $from.secret }}, items: [{ key: {{ $from.key }}, path: {{ $name }} }] }
      {{- end }}
{{- end }}
{{- with .Values.files }}
- name: files
  projected:
    defaultMode: 0440
    sources:
      {{- range $name, $from := . }}
      {{- if $from.secret }}
      - secret: { name: {{ $from.secret }}, items: [{ key: {{ $from.key }}, path: {{ $name }} }] }
      {{- else }}
      - configMap: { name: {{ required (printf "files.%s needs secret or configMap" $name) $from.configMap }}, items: [{ key: {{ $from.key }}, path: {{ $name }} }] }
      {{- end }}
      {{- end }}
{{- end }}
{{- with .Values.rules.configMap }}
- { name: rules, configMap: { name: {{ . }} } }
{{- end }}
{{- with .Values.suppressions.configMap }}
- { name: suppressions, configMap: { name: {{ . }} } }
{{- end }}
{{- end }}

{{- define "trailwarden.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "trailwarden.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}
