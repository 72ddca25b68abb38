{{- /* The name of everything in the release: the release's own if it says what it is. */}}
{{- define "appstead.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "appstead.serviceAccountName" -}}
{{- default (include "appstead.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{- /* What a Deployment may never change. */}}
{{- define "appstead.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "appstead.labels" -}}
{{ include "appstead.selectorLabels" . }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: appstead
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "appstead.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* How a pod of the operator's image runs: as nobody, where the values say. */}}
{{- define "appstead.pod" -}}
serviceAccountName: {{ include "appstead.serviceAccountName" . }}
automountServiceAccountToken: true
enableServiceLinks: false
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: 64Mi
{{- end }}

{{- /* The same of its container. */}}
{{- define "appstead.container" -}}
image: {{ include "appstead.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
terminationMessagePolicy: FallbackToLogsOnError
volumeMounts:
  - name: tmp
    mountPath: /tmp
{{- end }}

{{- /* A Job of the operator's image that is tried once. In: the root, its name, its command as YAML. */}}
{{- define "appstead.job" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 -}}
backoffLimit: 0
activeDeadlineSeconds: 120
ttlSecondsAfterFinished: 600
template:
  metadata:
    # Not those of the operator's pods: it counts in no budget of theirs.
    labels:
      app.kubernetes.io/name: {{ $root.Chart.Name }}-{{ $name }}
      app.kubernetes.io/instance: {{ $root.Release.Name }}
      app.kubernetes.io/part-of: appstead
  spec:
    restartPolicy: Never
    {{- include "appstead.pod" $root | nindent 4 }}
    containers:
      - name: {{ $name }}
        {{- include "appstead.container" $root | nindent 8 }}
        command: {{ index . 2 }}
        env:
          - name: APPSTEAD_NAMESPACE
            valueFrom:
              fieldRef:
                fieldPath: metadata.namespace
{{- end }}
