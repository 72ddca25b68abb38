// What GitOps tools make of an object, by their own code: Argo CD's health and actions, kstatus, Flux's health checks.
//
// In: JSON on standard input, a request. Out: JSON, a verdict for each of its objects, in their order.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	argocd "github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/argo-cd/v3/util/settings"
	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"github.com/sirupsen/logrus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type request struct {
	// Data of argocd-cm.
	ArgoCD map[string]string `json:"argocd"`
	// Of a Flux Kustomization: healthCheckExprs.
	Flux    []kustomize.CustomHealthCheck `json:"flux"`
	Objects []*unstructured.Unstructured  `json:"objects"`
}

type result struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

type verdict struct {
	ArgoCD  result            `json:"argocd"`
	Actions map[string]action `json:"actions"`
	Kstatus result            `json:"kstatus"`
	// Empty where no expression is for the object's kind.
	Flux string `json:"flux"`
}

type action struct {
	Disabled    bool   `json:"disabled"`
	DisplayName string `json:"displayName"`
	// What the object is after it.
	Result map[string]any `json:"result"`
}

func main() {
	logrus.SetOutput(io.Discard)
	verdicts, err := judgeAll(os.Stdin)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(verdicts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func judgeAll(in io.Reader) ([]verdict, error) {
	var asked request
	if err := json.NewDecoder(in).Decode(&asked); err != nil {
		return nil, fmt.Errorf("the request cannot be read: %w", err)
	}
	overrides, err := overridesOf(asked.ArgoCD)
	if err != nil {
		return nil, fmt.Errorf("argocd-cm: %w", err)
	}
	verdicts := make([]verdict, 0, len(asked.Objects))
	for _, object := range asked.Objects {
		judged, err := judge(object, overrides, asked.Flux)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
		verdicts = append(verdicts, judged)
	}
	return verdicts, nil
}

// Read by Argo CD's own reader of its ConfigMap.
func overridesOf(data map[string]string) (map[string]argocd.ResourceOverride, error) {
	const namespace = "argocd"
	labels := map[string]string{"app.kubernetes.io/part-of": "argocd"}
	client := fake.NewClientset(
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "argocd-cm", Namespace: namespace, Labels: labels}, Data: data},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "argocd-secret", Namespace: namespace, Labels: labels}},
	)
	return settings.NewSettingsManager(context.Background(), client, namespace).GetResourceOverrides()
}

func judge(object *unstructured.Unstructured, overrides map[string]argocd.ResourceOverride, exprs []kustomize.CustomHealthCheck) (verdict, error) {
	healthy, err := health.GetResourceHealth(object, lua.ResourceHealthOverrides(overrides))
	if err != nil {
		return verdict{}, fmt.Errorf("Argo CD's health: %w", err)
	}
	actions, err := actionsOf(object, lua.VM{ResourceOverrides: overrides})
	if err != nil {
		return verdict{}, fmt.Errorf("Argo CD's actions: %w", err)
	}
	computed, err := status.Compute(object)
	if err != nil {
		return verdict{}, fmt.Errorf("kstatus: %w", err)
	}
	flux, err := fluxOf(object, exprs)
	if err != nil {
		return verdict{}, fmt.Errorf("Flux's health checks: %w", err)
	}
	judged := verdict{Actions: actions, Kstatus: result{computed.Status.String(), computed.Message}, Flux: flux}
	if healthy != nil {
		judged.ArgoCD = result{string(healthy.Status), healthy.Message}
	}
	return judged, nil
}

func actionsOf(object *unstructured.Unstructured, vm lua.VM) (map[string]action, error) {
	actions := map[string]action{}
	scripts, err := vm.GetResourceActionDiscovery(object)
	if err != nil || len(scripts) == 0 {
		return actions, err
	}
	discovered, err := vm.ExecuteResourceActionDiscovery(object, scripts)
	if err != nil {
		return nil, err
	}
	for _, each := range discovered {
		definition, err := vm.GetResourceAction(object, each.Name)
		if err != nil {
			return nil, err
		}
		impacted, err := vm.ExecuteResourceAction(object, definition.ActionLua, nil)
		if err != nil {
			return nil, err
		}
		if len(impacted) != 1 || impacted[0].K8SOperation != lua.PatchOperation {
			return nil, fmt.Errorf("action %s does more than to change the object", each.Name)
		}
		actions[each.Name] = action{each.Disabled, each.DisplayName, impacted[0].UnstructuredObj.Object}
	}
	return actions, nil
}

func fluxOf(object *unstructured.Unstructured, exprs []kustomize.CustomHealthCheck) (string, error) {
	at := slices.IndexFunc(exprs, func(check kustomize.CustomHealthCheck) bool {
		return check.APIVersion == object.GetAPIVersion() && check.Kind == object.GetKind()
	})
	if at < 0 {
		return "", nil
	}
	evaluator, err := cel.NewStatusEvaluator(&exprs[at].HealthCheckExpressions)
	if err != nil {
		return "", err
	}
	evaluated, err := evaluator.Evaluate(context.Background(), object)
	if err != nil {
		return "", err
	}
	return evaluated.Status.String(), nil
}
