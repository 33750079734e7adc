// SPDX-License-Identifier: Apache-2.0

// parse reads a page of metrics with Prometheus' own parser and prints it as JSON: for each family
// its type and samples. It fails where Prometheus would, or where its linter finds something.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

type sample struct {
	Labels map[string]string `json:"labels"`
	Value  float64           `json:"value"` // of a histogram: how many there are
}

type family struct {
	Type    string   `json:"type"`
	Samples []sample `json:"samples"`
}

func value(metric *dto.Metric) float64 {
	switch {
	case metric.Counter != nil:
		return metric.Counter.GetValue()
	case metric.Gauge != nil:
		return metric.Gauge.GetValue()
	default:
		return float64(metric.Histogram.GetSampleCount())
	}
}

func read(page []byte) (map[string]family, error) {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	parsed, err := parser.TextToMetricFamilies(bytes.NewReader(page))
	if err != nil {
		return nil, err
	}
	families := map[string]family{}
	for name, found := range parsed {
		one := family{Type: found.GetType().String()}
		for _, metric := range found.Metric {
			labels := map[string]string{}
			for _, pair := range metric.Label {
				labels[pair.GetName()] = pair.GetValue()
			}
			one.Samples = append(one.Samples, sample{labels, value(metric)})
		}
		families[name] = one
	}
	return families, nil
}

func main() {
	page, err := io.ReadAll(os.Stdin)
	if err == nil {
		var families map[string]family
		if families, err = read(page); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(families)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	problems, err := promlint.New(bytes.NewReader(page)).Lint()
	for _, problem := range problems {
		fmt.Fprintf(os.Stderr, "%s: %s\n", problem.Metric, problem.Text)
	}
	if err != nil || len(problems) > 0 {
		os.Exit(1)
	}
}
