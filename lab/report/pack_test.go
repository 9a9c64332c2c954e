package report_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab/report"
)

// unpacked returns the parts that are packed in a page, by their anchors.
func unpacked(t *testing.T, d document) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, n := range d.classed("pack") {
		raw, err := base64.StdEncoding.DecodeString(inner(n))
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.NewDecoder(z).Decode(&all); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// A page of many legs is small, and its packs hold what a page of few legs has as it is.
func TestHTMLPacks(t *testing.T) {
	one := ran(t)
	many := *one
	many.Scenarios = nil
	for i := 0; many.Counts().Legs <= 300; i++ {
		for _, sc := range one.Scenarios {
			sc.Name = fmt.Sprintf("%s-%d", sc.Name, i)
			many.Scenarios = append(many.Scenarios, sc)
		}
	}
	text := write(t, report.FormatHTML, &many, report.Options{Line: quote})
	if per := len(text) / many.Counts().Legs; per > 4000 {
		t.Errorf("the page takes %d bytes a leg", per)
	}
	parts := unpacked(t, parse(t, text))
	packed := 0
	for _, sc := range many.Scenarios {
		for _, l := range sc.Legs {
			if l.OK && l.Fault == "" {
				packed++
			}
		}
	}
	if want := packed + len(many.Scenarios); len(parts) != want || packed == 0 {
		t.Errorf("%d parts are packed, want %d: each leg that is as expected, and each scenario's certificates", len(parts), want)
	}

	few := parse(t, write(t, report.FormatHTML, one, report.Options{Line: quote}))
	plain := map[string]string{}
	for _, n := range few.classed("body") {
		id, _ := attribute(n, "id")
		plain[id] = inner(n)
	}
	for _, sc := range one.Scenarios {
		compared := 0
		for id, want := range plain {
			rest, ok := strings.CutPrefix(id, sc.Name+"-")
			part, isPacked := parts[sc.Name+"-0-"+rest]
			if !ok || !isPacked {
				continue
			}
			compared++
			// The anchors in it differ, because the scenarios' names do.
			got := strings.ReplaceAll(inner(parse(t, part).named("body")[0]), sc.Name+"-0-", sc.Name+"-")
			if strings.TrimSpace(got) != strings.TrimSpace(want) {
				t.Errorf("%s: packed\n%s\nplain\n%s", id, got, want)
			}
		}
		if compared == 0 {
			t.Errorf("no leg of %s was compared", sc.Name)
		}
	}
}
