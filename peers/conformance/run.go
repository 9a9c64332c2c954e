package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Options say what to measure.
type Options struct {
	Products []string           // by name or by ID; nil: all
	Roots    string             // folder of the Debian roots; "": DefaultRoots
	Keep     func(Variant) bool // which variants; nil: all
	Parallel int                // products measured at a time; 0: one for each processor
	Now      func() time.Time   // nil: time.Now; the products themselves judge by the machine's clock
	Progress io.Writer          // a line for each product; nil: none
}

// A Result is what became of one product.
type Result struct {
	Product  Product
	Measured Matrix // without rows if Err is set
	Took     time.Duration
	Err      error             // ErrNotInstalled, or what went wrong with the harness
	kept     func([]Row) []Row // the rows that Options.Keep keeps; nil: all
}

// ErrNotInstalled is what a Result's Err wraps if the product can't be had here.
var ErrNotInstalled = errors.New("not installed")

// DefaultRoots returns the folder of the Debian roots: EDGELAB_ROOTS, or edgelab/roots in the user's cache.
func DefaultRoots() (string, error) {
	if dir := os.Getenv("EDGELAB_ROOTS"); dir != "" {
		return filepath.Abs(dir)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for the Debian roots: %w (set EDGELAB_ROOTS)", err)
	}
	return filepath.Join(cache, "edgelab", "roots"), nil
}

// Measure measures the products and returns a result for each, in the order of Products. Only bad options are an
// error.
func Measure(ctx context.Context, o Options) ([]Result, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	now := o.Now()
	o.Now = func() time.Time { return now }
	credentials, own, err := makeCredentials(now)
	if err != nil {
		return nil, err
	}
	return measureWith(ctx, o, credentials, own)
}

// measureWith measures with credentials that are valid around o.Now.
func measureWith(ctx context.Context, o Options, credentials []*Credential, own *Credential) ([]Result, error) {
	products, err := selectProducts(o.Products)
	if err != nil {
		return nil, err
	}
	if o.Roots == "" {
		if o.Roots, err = DefaultRoots(); err != nil {
			return nil, err
		}
	}
	if o.Parallel == 0 {
		o.Parallel = runtime.NumCPU()
	}
	now := o.Now()
	results := make([]Result, len(products))
	var wg sync.WaitGroup
	slots := make(chan struct{}, o.Parallel)
	for i, p := range products {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			start := time.Now()
			m, err := measureProduct(ctx, p, o, credentials, own)
			m.Date = now.UTC().Format(time.DateOnly)
			results[i] = Result{Product: p, Measured: m, Took: time.Since(start), Err: err, kept: keptRows(o.Keep)}
			if o.Progress != nil {
				state := fmt.Sprintf("%d rows", len(m.Rows))
				if err != nil {
					state = err.Error()
				}
				_, _ = fmt.Fprintf(o.Progress, "%s: %s, %.1f s\n", p.ID(), state, time.Since(start).Seconds())
			}
		})
	}
	wg.Wait()
	return results, nil
}

func selectProducts(names []string) ([]Product, error) {
	all := Products()
	if len(names) == 0 {
		return all, nil
	}
	var out []Product
	for _, p := range all {
		if slices.Contains(names, p.Name) || slices.Contains(names, p.ID()) || slices.Contains(names, p.Policy) {
			out = append(out, p)
		}
	}
	for _, n := range names {
		if !slices.ContainsFunc(all, func(p Product) bool { return n == p.Name || n == p.ID() || n == p.Policy }) {
			var known []string
			for _, p := range all {
				known = append(known, p.ID())
			}
			return nil, fmt.Errorf("no product %q is measured; there are %v", n, known)
		}
	}
	return out, nil
}

func makeCredentials(now time.Time) (all []*Credential, own *Credential, err error) {
	f := newForge(now)
	for _, v := range Variants() {
		c, err := f.make(v)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, c)
	}
	own, err = f.make(Variant{Name: "product", Asks: "the product's own certificate",
		Leaf: Spec{CN: "product.example", DNS: []string{"product.example"}}})
	return all, own, err
}

func measureProduct(ctx context.Context, p Product, o Options, credentials []*Credential, own *Credential) (Matrix, error) {
	m := Matrix{Product: p.Name, Policy: p.Policy, Release: p.Release, Setup: p.Setup}
	credentials = slices.DeleteFunc(slices.Clone(credentials), func(c *Credential) bool { return !p.asks(c.Variant) })
	if p.Release == "" {
		var err error
		if m.Version, err = p.Version(ctx, nil); err != nil {
			return m, err
		}
		b := &bench{credentials: credentials, product: own}
		m.Rows, err = b.measure(ctx, p.setups(), o.Keep)
		return m, err
	}
	root := filepath.Join(o.Roots, p.Release)
	if _, err := os.Stat(filepath.Join(root, "usr/bin/dpkg-query")); err != nil {
		return m, fmt.Errorf("%w: no Debian %s at %s (see Install)", ErrNotInstalled, p.Release, root)
	}
	b, err := newBench(ctx, root, credentials, own)
	if err != nil {
		return m, err
	}
	defer b.Close()
	if m.Version, err = p.Version(ctx, b.sandbox); err != nil {
		return m, fmt.Errorf("%w: %w", ErrNotInstalled, err)
	}
	if m.Rows, err = b.measure(ctx, p.setups(), o.Keep); err != nil {
		return m, fmt.Errorf("measuring %s: %w", p.ID(), err)
	}
	return m, nil
}

// keptRows returns what takes the rows of other variants out of a list.
func keptRows(keep func(Variant) bool) func([]Row) []Row {
	if keep == nil {
		return nil
	}
	names := map[string]bool{}
	for _, v := range Variants() {
		names[v.Name] = keep(v)
	}
	return func(rows []Row) []Row {
		return slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return !names[r.Variant] })
	}
}
