// SPDX-License-Identifier: Apache-2.0

// Alerts and dashboard, by Prometheus' own parser and engine: each alert is silent on a healthy
// node and fires on one that has what it is for, and nothing asks for a metric that no agent has.
// RULES: a rule file; DASHBOARD: Grafana's JSON; PAGE: an agent's /metrics.
package rules

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
)

var expressions = parser.NewParser(parser.Options{})

func read(t *testing.T, variable string) []byte {
	t.Helper()
	bytes, err := os.ReadFile(os.Getenv(variable))
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return bytes
}

func alerts(t *testing.T) []rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.Parse(read(t, "RULES"), false, model.UTF8Validation, expressions, slog.Default())
	for _, err := range errs {
		t.Fatal(err)
	}
	var all []rulefmt.Rule
	for _, group := range groups.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

// What every node of a good day has, minute by minute for a day, and then for an hour more.
const healthy = `
up{container="gpu-labeler",node="n"} 1x1500
gpu_labeler_build_info{node="n",version="1"} 1x1500
gpu_labeler_gpus{node="n",vendor="amd",mode="pf-passthrough",state="counted"} 8x1500
gpu_labeler_last_success_timestamp_seconds{node="n",output="node"} 0+60x1500
gpu_labeler_scans_total{node="n",result="ok"} 0+1x1500
gpu_labeler_scans_total{node="n",result="failed"} 0x1500
gpu_labeler_drift_repairs_total{node="n",output="node"} 0x1500
gpu_labeler_labels_rejected{node="n",by="agent"} 0x1500
gpu_labeler_api_requests_total{node="n",verb="PATCH",code="200"} 0+1x1500
`

// What takes the place of lines of the healthy node, or comes in addition, for each alert.
var sick = map[string][]string{
	"GpuLabelerDown": {`up{container="gpu-labeler",node="n"} 1x1400 0x100`},
	"GpuLabelerPublishesNothing": {
		`gpu_labeler_last_success_timestamp_seconds{node="n",output="node"} 0+60x1400 84000x100`},
	"GpuLabelerScansFail": {
		`gpu_labeler_scans_total{node="n",result="ok"} 0+1x1400 1400x100`,
		`gpu_labeler_scans_total{node="n",result="failed"} 0x1400 0+1x99`},
	"GpuLabelerLabelsFoughtOver": {`gpu_labeler_drift_repairs_total{node="n",output="node"} 0x1440 0+1x59`},
	"GpuLabelerLabelsRejected":   {`gpu_labeler_labels_rejected{node="n",by="agent"} 0x1400 2x100`},
	"GpuLabelerRequestsFail": {
		`gpu_labeler_api_requests_total{node="n",verb="PATCH",code="403"} 0x1400 0+2x99`},
	"GpuUnusable": {
		`gpu_labeler_gpus{node="n",vendor="amd",mode="none",state="unusable"} 1x1500`},
	"GpuModesMixed": {
		`gpu_labeler_gpus{node="n",vendor="amd",mode="vf-passthrough",state="other_mode"} 1x1500`},
	"GpusLost": {
		`gpu_labeler_gpus{node="n",vendor="amd",mode="pf-passthrough",state="counted"} 8x1400 _x100`},
}

func series(line string) string {
	return line[:strings.Index(line, "}")+1]
}

func load(changes []string) string {
	lines := strings.Split(strings.TrimSpace(healthy), "\n")
	for _, change := range changes {
		replaced := false
		for i, line := range lines {
			if series(line) == series(change) {
				lines[i], replaced = change, true
			}
		}
		if !replaced {
			lines = append(lines, change)
		}
	}
	return "load 1m\n  " + strings.Join(lines, "\n  ") + "\n"
}

func fires(t *testing.T, rule rulefmt.Rule, changes []string) bool {
	t.Helper()
	storage := promqltest.LoadedStorage(t, load(changes))
	defer storage.Close()
	engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	query, err := engine.NewInstantQuery(context.Background(), storage, nil, rule.Expr,
		time.Unix(1500*60, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer query.Close()
	result := query.Exec(context.Background())
	if result.Err != nil {
		t.Fatal(result.Err)
	}
	vector, ok := result.Value.(promql.Vector)
	return ok && len(vector) > 0
}

func TestEachAlertFiresForWhatItIsFor(t *testing.T) {
	for _, rule := range alerts(t) {
		changes, known := sick[rule.Alert]
		if !known {
			t.Errorf("%s: nobody says what it is for", rule.Alert)
			continue
		}
		if fires(t, rule, nil) {
			t.Errorf("%s fires on a healthy node", rule.Alert)
		}
		if !fires(t, rule, changes) {
			t.Errorf("%s does not fire on %v", rule.Alert, changes)
		}
	}
	if len(alerts(t)) != len(sick) {
		t.Errorf("%d alerts, %d tries", len(alerts(t)), len(sick))
	}
}

// The metrics that an agent serves, by its page's TYPE lines; and what Prometheus itself makes.
func served(t *testing.T) map[string]bool {
	names := map[string]bool{"up": true}
	for _, found := range regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`).FindAllStringSubmatch(
		string(read(t, "PAGE")), -1) {
		names[found[1]] = true
		if found[2] == "histogram" {
			names[found[1]+"_bucket"], names[found[1]+"_sum"], names[found[1]+"_count"] = true, true, true
		}
	}
	return names
}

func check(t *testing.T, where, text string, names map[string]bool) {
	t.Helper()
	expr, err := expressions.ParseExpr(text)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok && !names[selector.Name] {
			t.Errorf("%s asks for %q, which no agent serves", where, selector.Name)
		}
		return nil
	})
}

func TestAlertsAskForWhatAgentsServe(t *testing.T) {
	names := served(t)
	for _, rule := range alerts(t) {
		check(t, rule.Alert, rule.Expr, names)
	}
}

func TestDashboardAsksForWhatAgentsServe(t *testing.T) {
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(read(t, "DASHBOARD"), &dashboard); err != nil {
		t.Fatal(err)
	}
	names, asked := served(t), 0
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			check(t, panel.Title, strings.ReplaceAll(target.Expr, "$node", ".*"), names)
			asked++
		}
	}
	if asked < 10 {
		t.Errorf("%d expressions: is this the dashboard?", asked)
	}
}
