package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func sampleReport() *Report {
	return &Report{Date: "2026-11-24", Products: []ProductReport{
		{ID: "openssl/bookworm", Version: "3.0.20-1", Committed: "3.0.20-1", Policy: "openssl-3.0", Rows: 704, Matrix: 704, Engine: 704, Seconds: 31, Installed: true},
		{ID: "kamailio/sid", Version: "6.1.6-1", Committed: "6.1.5-1", Policy: "kamailio-6.1", Rows: 844, Matrix: 843, Engine: 843, Seconds: 40, Installed: true,
			Differences: []Difference{
				{Product: "kamailio/sid", Row: "eku-any/acceptor/tls1.3", Against: againstMatrix, Real: "trusted at application, alert 0", Said: "rejected at tls, alert 43"},
				{Product: "kamailio/sid", Row: "eku-any/acceptor/tls1.3", Against: againstEngine, Real: "trusted at application, alert 0", Said: "rejected at tls, alert 43",
					Detail: "openssl/eku-client", Reason: "a reason", Expected: true},
			}},
		{ID: "java/trixie", Policy: "java-21", Error: "not installed: no Debian trixie"},
		{ID: "java/sid", Version: "25", Policy: "java-25", Error: "the JVM fell over", Installed: true},
	}}
}

func TestReportText(t *testing.T) {
	var got strings.Builder
	if err := sampleReport().Text(&got); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "report.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestReportAgrees(t *testing.T) {
	good := ProductReport{ID: "a", Committed: "1", Rows: 1, Installed: true}
	expected, unexpected, failed, uncommitted := good, good, good, good
	expected.Differences = []Difference{{Expected: true}}
	unexpected.Differences = []Difference{{}}
	failed.Error = "fell over"
	uncommitted.Committed = ""
	for _, tt := range []struct {
		name     string
		products []ProductReport
		want     bool
	}{
		{"nothing", nil, false},
		{"all the same", []ProductReport{good}, true},
		{"one isn't here", []ProductReport{good, {ID: "b", Error: "not installed"}}, true},
		{"none is here", []ProductReport{{ID: "b", Error: "not installed"}}, false},
		{"a known difference", []ProductReport{expected}, true},
		{"a difference", []ProductReport{good, unexpected}, false},
		{"the harness failed", []ProductReport{good, failed}, false},
		{"nothing to compare with", []ProductReport{uncommitted}, false},
	} {
		if got := (&Report{Products: tt.products}).Agrees(); got != tt.want {
			t.Errorf("%s: Agrees is %t", tt.name, got)
		}
	}
}

func TestChanges(t *testing.T) {
	row := func(variant string, o Outcome) Row {
		return Row{Variant: variant, Role: Acceptor, TLS: "1.3", Observation: Observation{Outcome: o, Layer: "tls"}}
	}
	p := Product{Name: "a"}
	before := Matrix{Rows: []Row{row("same", Trusted), row("other", Trusted), row("gone", Trusted)}}
	now := Matrix{Rows: []Row{row("same", Trusted), row("other", Rejected), row("new", Trusted)}}
	var got []string
	for _, d := range changes(p, now, before) {
		got = append(got, d.Row)
	}
	if want := "other/acceptor/tls1.3 new/acceptor/tls1.3 gone/acceptor/tls1.3"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if d := changes(p, now, now); len(d) > 0 {
		t.Errorf("a matrix differs from itself: %v", d)
	}
}

func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"eku-any", "eku-any", true}, {"eku-any", "eku-any-server", false}, {"eku-*", "eku-any", true},
		{"eku-*-under-*", "eku-any-under-any", true}, {"eku-*-under-*", "eku-any", false},
		{"a/*/tls1.3", "a/acceptor/tls1.3", true}, {"a.c", "abc", false}, {"*", "", true},
	} {
		if got := globMatches(tt.pattern, tt.s); got != tt.want {
			t.Errorf("globMatches(%q, %q) = %t", tt.pattern, tt.s, got)
		}
	}
}
