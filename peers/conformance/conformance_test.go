package conformance

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the matrix of what is measured, where an answer has changed")

// TestConformance measures every product again. It installs what is missing first.
func TestConformance(t *testing.T) {
	if want := os.Getenv("EDGELAB_CONFORMANCE"); want == "no" || want == "" && os.Getenv("CI") != "true" {
		t.Skip("measuring the real products takes minutes and root: set EDGELAB_CONFORMANCE=1, or run make conformance")
	}
	if os.Geteuid() != 0 {
		t.Fatal("measuring takes root, for namespaces and chroots: run it as root")
	}
	roots, err := DefaultRoots()
	if err != nil {
		t.Fatal(err)
	}
	if err := Install(t.Context(), roots, nil, os.Stderr); err != nil {
		t.Fatalf("the products can't be installed: %v", err)
	}
	report, results, err := run(t.Context(), Options{Roots: roots, Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range report.Products {
		if results[i].Err == nil && !unexpected(p) {
			continue
		}
		// A difference counts if it shows twice: on a loaded machine a product may once be slower than its harness waits.
		again, second, err := run(t.Context(), Options{Roots: roots, Products: []string{p.ID}, Parallel: 1, Progress: os.Stderr})
		if err != nil || len(second) != 1 {
			t.Fatalf("measuring %s again: %d results, %v", p.ID, len(second), err)
		}
		report.Products[i], results[i] = again.Products[0], second[0]
	}
	if *update {
		updateMatrices(t, results)
	}
	var text strings.Builder
	if err := report.Text(&text); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", text.String())
	for i, p := range report.Products {
		t.Run(p.ID, func(t *testing.T) {
			switch {
			case results[i].Err != nil:
				t.Fatal(results[i].Err)
			case p.Rows < 500:
				t.Errorf("%d rows: much of the matrix was left out", p.Rows)
			}
			for _, d := range p.Differences {
				if !d.Expected {
					t.Errorf("%s\n measured: %s\n %s: %s\n %s", d.Row, d.Real, d.Against, d.Said, d.Detail)
				}
			}
		})
	}
	if len(results) != len(Products()) {
		t.Errorf("%d of %d products were measured", len(results), len(Products()))
	}
	if !t.Failed() && !report.Agrees() {
		t.Error("the report says that something differs")
	}
}

// unexpected reports whether a product has a difference that isn't on the list of known ones.
func unexpected(p ProductReport) bool {
	return slices.ContainsFunc(p.Differences, func(d Difference) bool { return !d.Expected })
}

// updateMatrices writes the matrices whose answers have changed. A file that only the words of would change is left.
func updateMatrices(t *testing.T, results []Result) {
	t.Helper()
	committed, err := Committed()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			continue
		}
		was, ok := matrixOf(committed, r.Product)
		if ok && was.Version == r.Measured.Version && len(changes(r.Product, r.Measured, was)) == 0 {
			continue
		}
		data, err := r.Measured.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("matrix", r.Measured.ID()+".json"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if ok && was.ID() != r.Measured.ID() {
			if err := os.Remove(filepath.Join("matrix", was.ID()+".json")); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// leastAgreement is the share of all rows on which the engine must agree with the products.
const leastAgreement = 0.99

// TestEngineAgrees puts every committed row to the policy engine.
func TestEngineAgrees(t *testing.T) {
	committed, err := Committed()
	if err != nil {
		t.Fatal(err)
	}
	known, err := Known()
	if err != nil {
		t.Fatal(err)
	}
	used := make([]bool, len(known))
	rows, agreeing := 0, 0
	engines := map[string]*engine{}
	for _, p := range Products() {
		m, ok := matrixOf(committed, p)
		if !ok {
			t.Errorf("no matrix of %s is committed", p.ID())
			continue
		}
		t.Run(m.ID(), func(t *testing.T) {
			e, ok := engines[m.Date]
			if !ok {
				e = engineAt(t, m.Date)
				engines[m.Date] = e
			}
			list, err := e.differences(p, m)
			if err != nil {
				t.Fatal(err)
			}
			rows, agreeing = rows+len(m.Rows), agreeing+len(m.Rows)-len(list)
			t.Logf("policy %s agrees on %d of %d rows, %s", p.Policy, len(m.Rows)-len(list), len(m.Rows), percent(len(m.Rows)-len(list), len(m.Rows)))
			explain(known, list)
			differs := map[string]bool{}
			for _, d := range list {
				differs[d.Row] = true
				if !d.Expected {
					t.Errorf("%s\n measured: %s\n engine:   %s\n words:    %s", d.Row, d.Real, d.Said, d.Detail)
				}
			}
			for i, k := range known {
				for _, r := range m.Rows {
					if !k.covers(p.ID(), r.Key()) {
						continue
					}
					used[i] = true
					if !differs[r.Key()] {
						t.Errorf("%s agrees now; take it out of differences.json (%q)", r.Key(), k.Reason)
					}
				}
			}
		})
	}
	for i, k := range known {
		if !used[i] {
			t.Errorf("differences.json: no product of %q has a row %q", k.Products, k.Rows)
		}
	}
	if rows == 0 || float64(agreeing) < leastAgreement*float64(rows) {
		t.Errorf("the engine agrees on %d of %d rows, less than %.0f %%", agreeing, rows, 100*leastAgreement)
	}
	t.Logf("the engine agrees on %d of %d rows, %s", agreeing, rows, percent(agreeing, rows))
}

// engineAt returns an engine that judges at noon of a day.
func engineAt(t *testing.T, date string) *engine {
	t.Helper()
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		t.Fatal(err)
	}
	at := day.Add(12 * time.Hour)
	credentials, _, err := makeCredentials(at)
	if err != nil {
		t.Fatal(err)
	}
	e, err := newEngine(credentials, at)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestMatricesAreWhole(t *testing.T) {
	committed, err := Committed()
	if err != nil {
		t.Fatal(err)
	}
	if len(committed) != len(Products()) {
		t.Errorf("%d matrices of %d products", len(committed), len(Products()))
	}
	for _, m := range committed {
		if m.Version == "" || m.Date == "" || m.Setup == "" || m.Policy == "" {
			t.Errorf("%s: version, date, setup and policy are needed", m.ID())
		}
		seen := map[string]bool{}
		for _, r := range m.Rows {
			if seen[r.Key()] {
				t.Errorf("%s has two rows %s", m.ID(), r.Key())
			}
			seen[r.Key()] = true
		}
		data, err := m.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		file, err := committedFile(m)
		if err != nil {
			t.Error(err)
		} else if file != string(data) {
			t.Errorf("matrix/%s.json isn't written as MarshalJSON writes it", m.ID())
		}
	}
}

func committedFile(m Matrix) (string, error) {
	data, err := committed.ReadFile("matrix/" + m.ID() + ".json")
	return string(data), err
}

func TestMeasureNamesUnknownProducts(t *testing.T) {
	_, err := Run(t.Context(), Options{Products: []string{"nonesuch"}})
	if err == nil || !strings.Contains(err.Error(), "nonesuch") || !strings.Contains(err.Error(), "prosody/trixie") {
		t.Errorf("got %v, want an error that names nonesuch and the products that there are", err)
	}
}

func TestRunSaysWhatIsNotInstalled(t *testing.T) {
	report, results, err := run(t.Context(), Options{Products: []string{"prosody"}, Roots: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if !errors.Is(r.Err, ErrNotInstalled) {
			t.Errorf("%s: %v, want ErrNotInstalled", r.Product.ID(), r.Err)
		}
	}
	var text strings.Builder
	if err := report.Text(&text); err != nil {
		t.Fatal(err)
	}
	if report.Agrees() || !strings.Contains(text.String(), "not installed") {
		t.Errorf("nothing was measured, and the report says\n%s", text.String())
	}
}
