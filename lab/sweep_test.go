package lab_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

// deployment is the source deployment with partners that are called like their products, so that a sweep's legs and a
// run's have the same names.
const deployment = `
edge: {access: sip.contoso.com, webconf: webcon.contoso.com, internal: lsedge.contoso.net}
sip-domains: [contoso.com, fabrikam.com]
xmpp-domains: [contoso.com, fabrikam.com]
partners:
  - {name: aol-pic, domain: aol-pic.sweep.example, protocol: sip, product: aol-pic}
  - {name: lync-2013, domain: lync-2013.sweep.example, protocol: sip, product: lync-2013}
  - {name: prosody-13, domain: prosody-13.sweep.example, protocol: xmpp, product: prosody-13}
  - {name: xmpp-strict, domain: xmpp-strict.sweep.example, protocol: xmpp, product: xmpp-strict}
`

func loadText(t *testing.T, text string) scenarios.Scenario {
	t.Helper()
	policies, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Load("contoso.yaml", []byte(text), scenarios.Options{Products: policies.Names()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func swept() lab.SweepOptions {
	return lab.SweepOptions{Products: []string{"aol-pic", "lync-2013", "prosody-13", "xmpp-strict"}, Elements: []string{"all"}}
}

// What each product asks for is the catalogue's own statement: AOL wants the client EKU of who connects (S9), Lync a
// certificate with sip.<domain>, XMPP the bare domain (S5), Prosody the server EKU in both directions.
func TestSweep(t *testing.T) {
	s, err := lab.MakeSweep(t.Context(), loadText(t, deployment), swept())
	if err != nil {
		t.Fatal(err)
	}
	if want := 4 * 4 * len(s.Variations); !s.Complete || len(s.Rows) != want || s.Total() != want || s.Faults() != 0 {
		t.Fatalf("complete %v, %d rows, %d in all, %d faults; want %d", s.Complete, len(s.Rows), s.Total(), s.Faults(), want)
	}
	cells := s.Cells()
	side := func(product, variation string, out bool) lab.SweepSide {
		p := slices.IndexFunc(s.Products, func(p lab.SweepProduct) bool { return p.ID == product })
		v := slices.IndexFunc(s.Variations, func(v lab.Variation) bool { return v.Name == variation })
		if p < 0 || v < 0 {
			t.Fatalf("no cell %s, %s", product, variation)
		}
		if out {
			return cells[p][v].Out
		}
		return cells[p][v].In
	}
	for _, tt := range []struct {
		product, variation string
		out                bool // the Edge connects
		broken             []string
		code               verdict.Code
	}{
		{"aol-pic", "planned", true, nil, ""},
		{"aol-pic", "eku:client", true, []string{"contoso.com", "fabrikam.com"}, verdict.ClientEKUMissing},
		{"aol-pic", "eku:client", false, nil, ""},
		{"lync-2013", "planned", false, nil, ""},
		{"lync-2013", "san:sip.fabrikam.com", false, []string{"fabrikam.com"}, verdict.NameMismatch},
		{"lync-2013", "san:fabrikam.com", false, nil, ""},
		{"lync-2013", "eku:client", true, nil, ""},
		{"xmpp-strict", "san:fabrikam.com", true, []string{"fabrikam.com"}, verdict.NameMismatch},
		{"xmpp-strict", "san:sip.fabrikam.com", true, nil, ""},
		{"xmpp-strict", "eku:client", true, []string{"contoso.com", "fabrikam.com"}, verdict.ClientEKUMissing},
		{"prosody-13", "eku:server", true, []string{"contoso.com", "fabrikam.com"}, verdict.ServerEKUMissing},
		{"prosody-13", "eku:client", true, nil, ""},
		{"prosody-13", "chain:leaf-only", false, []string{"contoso.com", "fabrikam.com"}, verdict.ChainIncomplete},
	} {
		c := side(tt.product, tt.variation, tt.out)
		if c.Legs != 2 || !slices.Equal(c.Domains, tt.broken) || tt.code != "" && !slices.Equal(c.Codes, []verdict.Code{tt.code}) {
			t.Errorf("%s, %s, Edge connects %v: %+v; want %v %s", tt.product, tt.variation, tt.out, c, tt.broken, tt.code)
		}
	}
}

// A sweep says the same as the same legs in runs of their own.
func TestSweepIsRuns(t *testing.T) {
	s := loadText(t, deployment)
	opts := swept()
	opts.Elements = []string{"san", "eku"}
	sweep, err := lab.MakeSweep(t.Context(), s, opts)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]verdict.Code{}
	for _, r := range sweep.Rows {
		got[sweep.Variations[r.Variation].Name+" "+sweep.Legs[r.Leg].ID] = r.Verdict
	}
	elements, err := lab.Elements(s)
	if err != nil {
		t.Fatal(err)
	}
	list, names := []scenarios.Scenario{s}, []string{lab.Planned}
	for _, e := range elements {
		m, ok, err := lab.Without(s, e)
		if err != nil {
			t.Fatal(err)
		}
		if ok && e.Certificate == "external" {
			m.Name = e.Value
			list, names = append(list, m), append(names, e.Kind+":"+e.Value)
		}
	}
	res, err := lab.Run(t.Context(), list, lab.Options{Select: func(_ string, l topology.Leg) bool { return l.Partner != nil }})
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for i, sc := range res.Scenarios {
		for _, l := range sc.Legs {
			compared++
			if g := got[names[i]+" "+l.ID]; g != l.Verdict {
				t.Errorf("%s, %s: %s in a sweep, %s in a run", names[i], l.ID, g, l.Verdict)
			}
		}
	}
	if want := 16 * len(list); compared != want {
		t.Errorf("%d legs compared, want %d", compared, want)
	}
}

// What an interrupted sweep has made isn't made again, and what comes out in the end is the same.
func TestSweepResume(t *testing.T) {
	s := loadText(t, deployment)
	opts := swept()
	opts.Elements = []string{"eku"}
	whole, err := lab.MakeSweep(t.Context(), s, opts)
	if err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cut := opts
	cut.Parallel = 1
	cut.Progress = func(done, total int) {
		if total == whole.Total() && done == 7 {
			cancel()
		}
	}
	part, err := lab.MakeSweep(ctx, s, cut)
	if !errors.Is(err, context.Canceled) || part == nil {
		t.Fatalf("an interrupted sweep: %v, %v", part, err)
	}
	if n := len(part.Rows); part.Complete || n < 7 || n >= whole.Total() || part.Faults() > 0 {
		t.Fatalf("an interrupted sweep: complete %v, %d of %d rows, %d faults", part.Complete, n, whole.Total(), part.Faults())
	}

	var text bytes.Buffer
	if err := report.SweepJSON(&text, part); err != nil {
		t.Fatal(err)
	}
	next := opts
	if next.Resume, err = report.ReadSweep(text.Bytes()); err != nil {
		t.Fatal(err)
	}
	var made atomic.Int64
	next.Progress = func(_, total int) {
		if total == whole.Total() {
			made.Add(1)
		}
	}
	rest, err := lab.MakeSweep(t.Context(), s, next)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := int(made.Load()), whole.Total()-len(part.Rows); got != want {
		t.Errorf("resumed: %d legs made, want %d", got, want)
	}
	if !rest.Complete || !slices.EqualFunc(rest.Rows, whole.Rows, func(a, b lab.SweepRow) bool {
		return a.Variation == b.Variation && a.Leg == b.Leg && a.Verdict == b.Verdict && a.Reason == b.Reason
	}) {
		t.Errorf("resumed: complete %v, and its rows differ from those of a sweep in one go", rest.Complete)
	}

	other := loadText(t, deployment+"certificates:\n  external: {eku: [server]}\n")
	if _, err := lab.MakeSweep(t.Context(), other, next); !errors.Is(err, lab.ErrOtherQuestion) {
		t.Errorf("resuming with another certificate: %v", err)
	}
}
