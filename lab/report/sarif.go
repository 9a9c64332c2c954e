package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/verdict"
)

const (
	sarifVersion = "2.1.0"
	sarifSchema  = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	projectURI   = "https://github.com/edgelab/edgelab"
	pagesURI     = projectURI + "/blob/main/lab/verdict/explain/" // + CODE.yaml: what edgelab explain prints
)

// SARIF writes r as a SARIF 2.1.0 log (OASIS, errata 01), for code scanning: a result for each leg that differs and for
// each fault, at the line of the scenario that says what is expected. Its rules are the verdicts, which are never
// renamed, each with its page. A result keeps its fingerprint when lines move. A broken control isn't about any file: it
// makes the invocation unsuccessful. The error is w's.
func SARIF(w io.Writer, r *lab.Result, o Options) error {
	run := sarifRun{
		Results:     []sarifResult{},
		Invocations: []sarifInvocation{invocation(r)},
		ColumnKind:  "unicodeCodePoints",
	}
	for _, sc := range r.Scenarios {
		if sc.Error != "" {
			l := lab.LegResult{Verdict: verdict.Inconclusive, Fault: sc.Error}
			run.Results = append(run.Results, sarifOf(sc, l, "the lab couldn't run "+sc.Name+": "+sc.Error, o))
		}
		for _, l := range sc.Legs {
			text, bad := finding(l)
			if !bad {
				continue
			}
			text = l.ID + ": " + text
			if l.Advice != "" {
				text += ". To mend: " + l.Advice
			}
			run.Results = append(run.Results, sarifOf(sc, l, text, o))
		}
	}
	run.Tool.Driver = sarifDriver{Name: "edgelab", InformationURI: projectURI, Rules: sarifRules(run.Results)}
	for i := range run.Results {
		run.Results[i].RuleIndex = slices.IndexFunc(run.Tool.Driver.Rules, func(x sarifRule) bool { return x.ID == run.Results[i].RuleID })
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(sarifLog{Schema: sarifSchema, Version: sarifVersion, Runs: []sarifRun{run}})
}

func invocation(r *lab.Result) sarifInvocation {
	in := sarifInvocation{ExecutionSuccessful: r.ControlsHold()}
	note := func(text string) {
		in.Notifications = append(in.Notifications, sarifNotification{Level: "error", Message: sarifText{printable(text)}})
	}
	if len(r.Controls) == 0 {
		note("no control was run, so no verdict counts")
	}
	for _, l := range r.Controls {
		if text, bad := finding(l); bad {
			note("the lab's own proof, " + l.ID + ": " + text)
		}
	}
	return in
}

func sarifOf(sc lab.ScenarioResult, l lab.LegResult, text string, o Options) sarifResult {
	at := placeOf(sc, l, o)
	location := sarifLocation{
		Physical: sarifPhysical{Artifact: artifact(at.file), Region: sarifRegion{StartLine: max(at.line, 1), StartColumn: at.column}},
		Logical:  []sarifLogical{{Name: printable(sc.Name), FullName: printable(sc.Name)}},
	}
	if l.ID != "" {
		location.Logical[0] = sarifLogical{Name: printable(l.ID), FullName: printable(sc.Name + ": " + l.ID)}
	}
	properties := map[string]string{}
	for name, value := range map[string]string{"scenario": sc.Name, "expected": string(l.Expected), "judge": l.Judge, "certificate": l.Judged} {
		if value != "" {
			properties[name] = printable(value)
		}
	}
	sum := sha256.Sum256([]byte(sc.Name + "\x00" + l.ID + "\x00" + string(l.Verdict)))
	return sarifResult{
		RuleID: string(l.Verdict), Level: "error", Message: sarifText{printable(text)}, Locations: []sarifLocation{location},
		Fingerprints: map[string]string{"scenarioLegVerdict/v1": hex.EncodeToString(sum[:])},
		Properties:   properties,
	}
}

// artifact names a file: relative to the repository's root where it can be, and by its whole path elsewhere.
func artifact(file string) sarifArtifact {
	file = strings.ReplaceAll(file, `\`, "/")
	if path.IsAbs(file) {
		return sarifArtifact{URI: (&url.URL{Scheme: "file", Path: file}).String()}
	}
	return sarifArtifact{URI: (&url.URL{Path: path.Clean(file)}).String(), BaseID: "%SRCROOT%"}
}

// sarifRules returns a rule for each verdict that results has, in the order of the documentation.
func sarifRules(results []sarifResult) []sarifRule {
	rules := []sarifRule{}
	for _, c := range verdict.Codes() {
		if !slices.ContainsFunc(results, func(x sarifResult) bool { return x.RuleID == string(c) }) {
			continue
		}
		rule := sarifRule{ID: string(c), HelpURI: pagesURI + string(c) + ".yaml", Configuration: sarifConfiguration{"error"}}
		if page, err := verdict.Explain(c); err == nil {
			text := strings.TrimSpace(page.Text())
			rule.Short, rule.Full = sarifText{page.Title}, sarifText{strings.TrimSpace(page.Meaning)}
			rule.Help = sarifHelp{Text: text, Markdown: "```text\n" + text + "\n```\n"}
		}
		rules = append(rules, rule)
	}
	return rules
}

// The parts of SARIF that are written, named as in the standard's section 3.

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool struct {
		Driver sarifDriver `json:"driver"`
	} `json:"tool"`
	Invocations []sarifInvocation `json:"invocations"`
	ColumnKind  string            `json:"columnKind"`
	Results     []sarifResult     `json:"results"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID            string             `json:"id"`
	Short         sarifText          `json:"shortDescription"`
	Full          sarifText          `json:"fullDescription"`
	Help          sarifHelp          `json:"help"`
	HelpURI       string             `json:"helpUri"`
	Configuration sarifConfiguration `json:"defaultConfiguration"`
}

type sarifConfiguration struct {
	Level string `json:"level"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifHelp struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown"`
}

type sarifInvocation struct {
	ExecutionSuccessful bool                `json:"executionSuccessful"`
	Notifications       []sarifNotification `json:"toolExecutionNotifications,omitempty"`
}

type sarifNotification struct {
	Level   string    `json:"level"`
	Message sarifText `json:"message"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"` // -1: no such rule
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	Properties   map[string]string `json:"properties"`
}

type sarifLocation struct {
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   sarifRegion   `json:"region"`
}

type sarifArtifact struct {
	URI    string `json:"uri"`
	BaseID string `json:"uriBaseId,omitempty"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
}

type sarifLogical struct {
	Name     string `json:"name"`
	FullName string `json:"fullyQualifiedName"`
}
