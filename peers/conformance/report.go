package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// A Report is what became of a measurement: for each product how far it agrees with its committed matrix and how far
// the engine agrees with it.
type Report struct {
	Date     string          `json:"date"`
	Products []ProductReport `json:"products"` // in the order of Products
}

// A ProductReport is one product's part of a Report.
type ProductReport struct {
	ID        string `json:"product"`
	Version   string `json:"version,omitempty"`   // that was measured
	Committed string `json:"committed,omitempty"` // the version whose matrix it is compared with; "": there is none
	Policy    string `json:"policy"`
	Rows      int    `json:"rows"`
	Matrix    int    `json:"agreesWithMatrix"` // rows whose answer is the committed one
	Engine    int    `json:"agreesWithEngine"` // rows whose answer the engine gives too
	// Differences are those with the matrix, then those with the engine.
	Differences []Difference `json:"differences,omitempty"`
	Seconds     float64      `json:"seconds"`
	// Installed is false where the product can't be had here; Error says why, or how the harness failed.
	Installed bool   `json:"installed"`
	Error     string `json:"error,omitempty"`
}

// Run measures the products that are installed and compares each with its committed matrix and with the engine. An
// error means that nothing could be measured at all; what befalls one product is in its part of the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	r, _, err := run(ctx, o)
	return r, err
}

// run is Run, with the measurements themselves.
func run(ctx context.Context, o Options) (*Report, []Result, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	now := o.Now()
	o.Now = func() time.Time { return now }
	committed, err := Committed()
	if err != nil {
		return nil, nil, err
	}
	known, err := Known()
	if err != nil {
		return nil, nil, err
	}
	credentials, own, err := makeCredentials(now)
	if err != nil {
		return nil, nil, err
	}
	e, err := newEngine(credentials, now)
	if err != nil {
		return nil, nil, err
	}
	results, err := measureWith(ctx, o, credentials, own)
	if err != nil {
		return nil, nil, err
	}
	r := &Report{Date: now.UTC().Format(time.DateOnly)}
	for _, res := range results {
		p, err := reportOn(res, committed, e)
		if err != nil {
			return nil, nil, err
		}
		explain(known, p.Differences)
		r.Products = append(r.Products, p)
	}
	if err := ctx.Err(); err != nil {
		return r, results, fmt.Errorf("conformance: %w", err)
	}
	return r, results, nil
}

// reportOn compares one result.
func reportOn(res Result, committed []Matrix, e *engine) (ProductReport, error) {
	p := ProductReport{ID: res.Product.ID(), Version: res.Measured.Version, Policy: res.Product.Policy, Rows: len(res.Measured.Rows),
		Seconds: res.Took.Seconds(), Installed: !errors.Is(res.Err, ErrNotInstalled), Error: words(res.Err)}
	if p.Error != "" {
		return p, nil
	}
	if was, ok := matrixOf(committed, res.Product); ok {
		p.Committed = was.Version
		if res.kept != nil {
			was.Rows = res.kept(was.Rows) // what the options left out isn't missed
		}
		p.Differences = changes(res.Product, res.Measured, was)
		p.Matrix = p.Rows
		for _, d := range p.Differences {
			if d.Real != notMeasured {
				p.Matrix--
			}
		}
	}
	differing, err := e.differences(res.Product, res.Measured)
	if err != nil {
		return p, err
	}
	p.Engine = p.Rows - len(differing)
	p.Differences = append(p.Differences, differing...)
	return p, nil
}

func words(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// matrixOf returns the committed matrix of a product of a release, whatever its version.
func matrixOf(committed []Matrix, p Product) (Matrix, bool) {
	for _, m := range committed {
		if m.Product == p.Name && m.Release == p.Release {
			return m, true
		}
	}
	return Matrix{}, false
}

// Agrees reports whether everything that is installed was measured and nothing differs but what is known to.
func (r *Report) Agrees() bool {
	measured := false
	for _, p := range r.Products {
		switch {
		case !p.Installed:
			continue
		case p.Error != "" || p.Committed == "" || p.Rows == 0:
			return false
		}
		measured = true
		for _, d := range p.Differences {
			if !d.Expected {
				return false
			}
		}
	}
	return measured
}

// JSON writes the report as one JSON object.
func (r *Report) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// Text writes the report for people: a table of products, then each row that differs.
func (r *Report) Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PRODUCT\tVERSION\tPOLICY\tROWS\tMATRIX\tENGINE\tTIME")
	var rows, matrix, engine, measured, absent int
	for _, p := range r.Products {
		switch {
		case !p.Installed:
			absent++
			fmt.Fprintf(t, "%s\t-\t%s\t-\tnot installed\n", p.ID, p.Policy)
			continue
		case p.Error != "":
			fmt.Fprintf(t, "%s\t%s\t%s\t-\tfailed\n", p.ID, upstream(p.Version), p.Policy)
			continue
		}
		measured++
		rows, matrix, engine = rows+p.Rows, matrix+p.Matrix, engine+p.Engine
		against := percent(p.Matrix, p.Rows)
		if p.Committed == "" {
			against = "none"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%s\t%.0f s\n", p.ID, upstream(p.Version), p.Policy, p.Rows, against, percent(p.Engine, p.Rows), p.Seconds)
	}
	fmt.Fprintf(t, "all %d\t\t\t%d\t%s\t%s\n", measured, rows, percent(matrix, rows), percent(engine, rows))
	if err := t.Flush(); err != nil {
		return err
	}
	for _, p := range r.Products {
		if p.Installed && p.Error != "" {
			fmt.Fprintf(w, "\n%s could not be measured: %s\n", p.ID, p.Error)
		}
		if p.Committed != "" && p.Committed != p.Version {
			fmt.Fprintf(w, "\n%s is %s here; the committed matrix is of %s\n", p.ID, p.Version, p.Committed)
		}
	}
	r.differences(w)
	if absent > 0 {
		fmt.Fprintf(w, "\n%d not installed: edgelab conformance --install brings them (as root, with debootstrap)\n", absent)
	}
	return nil
}

// differences writes each row that differs: first what isn't known, then what is, by its reason.
func (r *Report) differences(w io.Writer) {
	var reasons []string
	known := map[string][]Difference{}
	for _, p := range r.Products {
		for _, d := range p.Differences {
			if d.Expected {
				if len(known[d.Reason]) == 0 {
					reasons = append(reasons, d.Reason)
				}
				known[d.Reason] = append(known[d.Reason], d)
				continue
			}
			fmt.Fprintf(w, "\n%s %s\n  measured: %s\n  %-8s: %s\n", d.Product, d.Row, d.Real, d.Against, d.Said)
			if d.Detail != "" {
				fmt.Fprintf(w, "  words   : %s\n", d.Detail)
			}
		}
	}
	for _, reason := range reasons {
		fmt.Fprintf(w, "\nKnown differences, %d: %s\n", len(known[reason]), reason)
		for _, d := range known[reason] {
			fmt.Fprintf(w, "  %s %s: %s; %s: %s\n", d.Product, d.Row, d.Real, d.Against, d.Said)
		}
	}
}

// percent writes a share so that it is 100 % only when nothing is missing.
func percent(part, whole int) string {
	switch {
	case whole == 0:
		return "-"
	case part == whole:
		return "100 %"
	}
	return fmt.Sprintf("%.2f %%", min(99.99, 100*float64(part)/float64(whole)))
}
