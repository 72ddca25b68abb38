// Prints what the CEL rules of CustomResourceDefinitions cost, as the API server estimates it when it accepts one:
// one JSON line per CRD file given, with the total and every expression, most expensive first.
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"sigs.k8s.io/yaml"
)

type expression struct {
	Path       string `json:"path"`
	Expression string `json:"expression"`
	Cost       uint64 `json:"cost"`
	Error      string `json:"error,omitempty"`
}

type report struct {
	CRD             string       `json:"crd"`
	Total           uint64       `json:"total"`
	TotalLimit      uint64       `json:"totalLimit"`
	ExpressionLimit uint64       `json:"expressionLimit"`
	Expressions     []expression `json:"expressions"`
}

func main() {
	for _, file := range os.Args[1:] {
		result, err := estimate(file)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", file, err)
			os.Exit(1)
		}
		line, err := json.Marshal(result)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(string(line))
	}
}

// estimate reads the CRD in file; every one of its versions counts.
func estimate(file string) (*report, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	crd := v1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(text, &crd); err != nil {
		return nil, err
	}
	result := &report{
		CRD:             crd.Name,
		TotalLimit:      validation.StaticEstimatedCRDCostLimit,
		ExpressionLimit: validation.StaticEstimatedCostLimit,
		Expressions:     []expression{},
	}
	for _, version := range crd.Spec.Versions {
		schema := apiextensions.JSONSchemaProps{}
		if err := v1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, &schema, nil); err != nil {
			return nil, err
		}
		if err := result.walk(version.Name, &schema, validation.RootCELContext(&schema)); err != nil {
			return nil, err
		}
	}
	sort.Slice(result.Expressions, func(i, j int) bool { return result.Expressions[i].Cost > result.Expressions[j].Cost })
	return result, nil
}

// walk goes the way the server's validation goes, with the same contexts, which know how often a value can be there.
func (r *report) walk(path string, schema *apiextensions.JSONSchemaProps, context *validation.CELSchemaContext) error {
	for name, property := range schema.Properties {
		if err := r.walk(path+"."+name, &property, context.ChildPropertyContext(&property, name)); err != nil {
			return err
		}
	}
	if schema.Items != nil && schema.Items.Schema != nil {
		if err := r.walk(path+"[]", schema.Items.Schema, context.ChildItemsContext(schema.Items.Schema)); err != nil {
			return err
		}
	}
	if values := schema.AdditionalProperties; values != nil && values.Schema != nil {
		if err := r.walk(path+"{}", values.Schema, context.ChildAdditionalPropertiesContext(values.Schema)); err != nil {
			return err
		}
	}
	if len(schema.XValidations) == 0 {
		return nil
	}
	return r.rules(path, schema, context)
}

func (r *report) rules(path string, schema *apiextensions.JSONSchemaProps, context *validation.CELSchemaContext) error {
	info, err := context.TypeInfo()
	if err != nil {
		return err
	}
	environments := environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion())
	results, err := cel.Compile(info.Schema, info.DeclType, celconfig.PerCallLimit, environments, cel.NewExpressionsEnvLoader())
	if err != nil {
		return err
	}
	for i, compiled := range results {
		rule := schema.XValidations[i]
		cardinality := compiled.MaxCardinality
		if context.MaxCardinality != nil {
			cardinality = *context.MaxCardinality
		}
		r.add(expression{Path: path, Expression: rule.Rule, Cost: multiply(compiled.MaxCost, cardinality), Error: detail(compiled.Error)})
		if rule.MessageExpression != "" {
			r.add(expression{Path: path, Expression: rule.MessageExpression, Cost: compiled.MessageExpressionMaxCost, Error: detail(compiled.MessageExpressionError)})
		}
	}
	return nil
}

func (r *report) add(each expression) {
	r.Total += each.Cost
	if r.Total < each.Cost {
		r.Total = math.MaxUint64
	}
	r.Expressions = append(r.Expressions, each)
}

func multiply(cost, cardinality uint64) uint64 {
	if cost != 0 && math.MaxUint64/cost < cardinality {
		return math.MaxUint64
	}
	return cost * cardinality
}

func detail(err *apiservercel.Error) string {
	if err == nil {
		return ""
	}
	return err.Detail
}
