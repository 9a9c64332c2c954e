package report_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

// node is a part of a JSON Schema.
type node struct {
	Ref        string           `json:"$ref"`
	Type       string           `json:"type"`
	Format     string           `json:"format"`
	Enum       []string         `json:"enum"`
	Properties map[string]*node `json:"properties"`
	Required   []string         `json:"required"`
	Items      *node            `json:"items"`
	Defs       map[string]*node `json:"$defs"`
}

// The schema names every key that there is, no other, with its type, and requires those that are never left out.
func TestSchemaFollowsTheTypes(t *testing.T) {
	var root node
	if err := json.Unmarshal([]byte(report.Schema()), &root); err != nil {
		t.Fatal(err)
	}
	seen := map[*node]bool{}
	var walk func(path string, typ reflect.Type, n *node)
	walk = func(path string, typ reflect.Type, n *node) {
		if n == nil {
			t.Errorf("%s: the schema says nothing", path)
			return
		}
		if name, ok := strings.CutPrefix(n.Ref, "#/$defs/"); ok {
			n = root.Defs[name]
		}
		var want string
		switch typ.Kind() {
		case reflect.Pointer:
			walk(path, typ.Elem(), n)
			return
		case reflect.Slice:
			want = "array"
			walk(path+"[]", typ.Elem(), n.Items)
		case reflect.Struct:
			if typ == reflect.TypeFor[time.Time]() {
				if n.Type != "string" || n.Format != "date-time" {
					t.Errorf("%s: a date is %s, %s", path, n.Type, n.Format)
				}
				return
			}
			want = "object"
			if !seen[n] {
				seen[n] = true
				compare(t, path, typ, n, walk)
			}
		case reflect.String:
			want = "string"
		case reflect.Bool:
			want = "boolean"
		default:
			want = "integer"
		}
		if n.Type != want && (n.Type != "" || want == "object" || want == "array") { // constants have no type
			t.Errorf("%s: the schema says %q, want %q", path, n.Type, want)
		}
	}
	walk("result", reflect.TypeFor[lab.Result](), &root)

	var codes []string
	for _, c := range verdict.Codes() {
		codes = append(codes, string(c))
	}
	if !slices.Equal(root.Defs["code"].Enum, codes) {
		t.Errorf("the schema's verdicts are %v, want %v", root.Defs["code"].Enum, codes)
	}
}

func compare(t *testing.T, path string, typ reflect.Type, n *node, walk func(string, reflect.Type, *node)) {
	t.Helper()
	var keys, required []string
	for i := range typ.NumField() {
		f := typ.Field(i)
		if !f.IsExported() {
			continue
		}
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		keys = append(keys, key)
		if options == "" {
			required = append(required, key)
		}
		if n.Properties[key] == nil {
			t.Errorf("%s: the schema lacks %q", path, key)
			continue
		}
		walk(path+"."+key, f.Type, n.Properties[key])
	}
	for key := range n.Properties {
		if !slices.Contains(keys, key) {
			t.Errorf("%s: the schema has %q, which isn't written", path, key)
		}
	}
	slices.Sort(required)
	if got := slices.Sorted(slices.Values(n.Required)); !slices.Equal(got, required) {
		t.Errorf("%s: the schema requires %v, want %v", path, got, required)
	}
}

// Every key of the schema has its place in json.md.
func TestSchemaIsDocumented(t *testing.T) {
	text, err := os.ReadFile("json.md")
	if err != nil {
		t.Fatal(err)
	}
	var root node
	if err := json.Unmarshal([]byte(report.Schema()), &root); err != nil {
		t.Fatal(err)
	}
	var walk func(n *node)
	walk = func(n *node) {
		if n == nil {
			return
		}
		for key, p := range n.Properties {
			if !strings.Contains(string(text), "`"+key+"`") {
				t.Errorf("json.md doesn't name %q", key)
			}
			walk(p)
		}
		walk(n.Items)
		for _, d := range n.Defs {
			walk(d)
		}
	}
	walk(&root)
}

// What is written is what the schema says: hand-made results, and a real run of legs that are trusted, refused in TLS
// and by the application, and let through by dialback.
func TestJSONIsValid(t *testing.T) {
	schema := compiled(t, []byte(report.Schema()))
	for name, r := range results() {
		t.Run(name, func(t *testing.T) { validate(t, schema, write(t, report.FormatJSON, r, report.Options{})) })
	}
	t.Run("run", func(t *testing.T) { validate(t, schema, write(t, report.FormatJSON, ran(t), report.Options{})) })
}

// The schema refuses what a reader couldn't use.
func TestSchemaRefuses(t *testing.T) {
	schema := compiled(t, []byte(report.Schema()))
	text := write(t, report.FormatJSON, results()["teaches"], report.Options{})
	for _, change := range [][2]string{
		{`"version": 1`, `"version": 2`}, {`"verdict": "client-eku-missing"`, `"verdict": "fine"`}, {`"ok": true`, `"ok": "yes"`},
		{`"initiator": "edge"`, `"from": "edge"`}, {`"evidence": [`, `"evidence": null, "x": [`}, {`"at": "2026-11-24T00:00:00Z"`, `"at": "tomorrow"`},
	} {
		changed := strings.Replace(text, change[0], change[1], 1)
		var doc any
		if err := json.Unmarshal([]byte(changed), &doc); err != nil || changed == text {
			t.Fatalf("%s: %v", change[0], err)
		}
		if schema.Validate(doc) == nil {
			t.Errorf("%s may be %s", change[0], change[1])
		}
	}
}

// ran is the result of a real run.
func ran(t *testing.T) *lab.Result {
	t.Helper()
	r, err := realRun()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// realRun makes the run once, whoever asks.
var realRun = sync.OnceValues(func() (*lab.Result, error) {
	policies, err := policy.Load()
	if err != nil {
		return nil, err
	}
	all, err := scenarios.Catalogue(scenarios.Options{Products: policies.Names()})
	if err != nil {
		return nil, err
	}
	names := []string{"source-deployment", "public-im-aol-no-client-eku", "prosody-dialback", "second-domain-srv"}
	list := slices.DeleteFunc(all, func(s scenarios.Scenario) bool { return !slices.Contains(names, s.Name) })
	if len(list) != len(names) {
		return nil, fmt.Errorf("the catalogue has %d of %v", len(list), names)
	}
	return lab.Run(context.Background(), list, lab.Options{Seed: 1, Policies: policies})
})
