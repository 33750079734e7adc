{{/* SPDX-License-Identifier: Apache-2.0 */}}
{{- define "labeler.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "labeler.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if or (contains (include "labeler.name" .) .Release.Name) (contains "gpu-labeler" .Release.Name) -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "labeler.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "labeler.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace -}}
{{- end -}}

{{- define "labeler.selector" -}}
app.kubernetes.io/name: {{ include "labeler.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "labeler.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "labeler.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "labeler.account" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "labeler.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "labeler.image" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}
{{- .Values.image.repository }}{{ if not (hasPrefix "@" $tag) }}:{{ end }}{{ $tag -}}
{{- end -}}

{{/* Asked of the server where there is one; "helm template" knows its version alone. */}}
{{- define "labeler.hasPolicies" -}}
{{- $versions := .Capabilities.APIVersions -}}
{{- $has := semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version -}}
{{- if $versions.Has "v1/Pod" -}}
{{- $has = $versions.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy" -}}
{{- end -}}
{{- if and .Values.policy.enable $has -}}
yes
{{- end -}}
{{- end -}}

{{/* The label keys of the README's table, as the policies know them. */}}
{{- define "labeler.ourKeys" -}}
'^((beta\\.)?amd\\.com/gpu\\.(mode|family|driver-version|driver-src-version|device-id|product-name|vram|simd-count|cu-count|firmware|compute-memory-partition|compute-partitioning-supported|memory-partitioning-supported|vfio)(\\..+)?|gpu\\.intel\\.com/(vfio|device-id)\\..+|gpu\\.intel\\.com/(product|family|device\\.count)|intel\\.feature\\.node\\.kubernetes\\.io/gpu)$'
{{- end -}}

{{/* A token that the kubelet renews, bound to the pod and so to its Node. */}}
{{- define "labeler.identityVolume" -}}
- name: identity
  projected:
    sources:
      - serviceAccountToken:
          path: token
          expirationSeconds: 3600
      - configMap:
          name: kube-root-ca.crt
          items:
            - key: ca.crt
              path: ca.crt
      - downwardAPI:
          items:
            - path: namespace
              fieldRef:
                fieldPath: metadata.namespace
{{- end -}}

{{- define "labeler.identityMount" -}}
- name: identity
  mountPath: /var/run/secrets/kubernetes.io/serviceaccount
  readOnly: true
{{- end -}}

{{/* What the clean-up is made of is there for as long as it takes; where it fails it stays to be looked at. */}}
{{- define "labeler.cleanHook" -}}
helm.sh/hook: post-delete
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- with .root.Values.cleanUp.annotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "labeler.cleans" -}}
{{- if and .Values.cleanUp.enable (ne .Values.output "file") -}}
yes
{{- end -}}
{{- end -}}
