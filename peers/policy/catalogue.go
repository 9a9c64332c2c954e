package policy

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	slashpath "path"
	"slices"
)

//go:embed stacks/*.yaml products/*.yaml
var embedded embed.FS

// A Catalogue is the set of products whose policies are known. It is immutable and safe for use by several
// goroutines.
type Catalogue struct {
	products map[string]*Product
	sorted   []*Product
	digest   string
}

// Load reads the policies that are part of the program. An error means that the data is wrong: a key that means
// nothing, a rule without a source, a product whose stack doesn't exist.
func Load() (*Catalogue, error) { return LoadFS(embedded) }

// LoadFS reads policies from the directories stacks and products of fsys.
func LoadFS(fsys fs.FS) (*Catalogue, error) {
	stackFiles, err := readAll(fsys, "stacks", func(f *stackFile) string { return f.ID })
	if err != nil {
		return nil, err
	}
	productFiles, err := readAll(fsys, "products", func(f *productFile) string { return f.ID })
	if err != nil {
		return nil, err
	}
	stacks := map[string]*stack{}
	for _, id := range slices.Sorted(maps.Keys(stackFiles)) {
		f, err := resolveStack(stackFiles, id)
		if err != nil {
			return nil, err
		}
		if stacks[id], err = compileStack(f); err != nil {
			return nil, err
		}
	}
	c := &Catalogue{products: map[string]*Product{}}
	if c.digest, err = digest(fsys); err != nil {
		return nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(productFiles)) {
		f, err := resolveProduct(productFiles, id)
		if err != nil {
			return nil, err
		}
		p, err := compileProduct(f, stacks)
		if err != nil {
			return nil, err
		}
		c.products[id] = p
		c.sorted = append(c.sorted, p)
	}
	if len(c.sorted) == 0 {
		return nil, errors.New("policy: no products")
	}
	return c, nil
}

// readAll decodes every file of a directory. A file is named after the ID it declares.
func readAll[F any](fsys fs.FS, dir string, id func(*F) string) (map[string]*F, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	files := map[string]*F{}
	for _, e := range entries {
		name := slashpath.Join(dir, e.Name())
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		f := new(F)
		if err := decode(name, data, f); err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		if want := id(f) + ".yaml"; e.Name() != want {
			return nil, fmt.Errorf("policy: %s declares the ID of %s", name, want)
		}
		files[id(f)] = f
	}
	return files, nil
}

// Product returns the product with the given ID, as in "lync-2013".
func (c *Catalogue) Product(id string) (*Product, bool) {
	p, ok := c.products[id]
	return p, ok
}

// Products returns every product, sorted by ID.
func (c *Catalogue) Products() []*Product { return slices.Clone(c.sorted) }

// Names returns the IDs of all products, sorted.
func (c *Catalogue) Names() []string {
	names := make([]string, len(c.sorted))
	for i, p := range c.sorted {
		names[i] = p.ID()
	}
	return names
}

// RuleIDs returns the ID of every rule that a product puts to its peers, sorted.
func (c *Catalogue) RuleIDs() []string {
	ids := map[string]bool{}
	for _, p := range c.sorted {
		for _, r := range p.Rules() {
			if r.Check != factCheck {
				ids[r.ID] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// Without returns the same catalogue with one rule switched off: every product acts as if it had never been asked. It
// serves to prove that a rule matters.
func (c *Catalogue) Without(ruleID string) *Catalogue {
	out := &Catalogue{products: make(map[string]*Product, len(c.products)), digest: c.digest + " without " + ruleID}
	for _, p := range c.sorted {
		q := *p
		q.off = ruleID
		out.products[q.ID()] = &q
		out.sorted = append(out.sorted, &q)
	}
	return out
}

// nearest returns the candidate that is most like name, or "" if none is.
func nearest(name string, candidates []string) string {
	best, at := "", max(3, len(name)/2+1)
	for _, c := range candidates {
		if d := distance(name, c); d < at {
			best, at = c, d
		}
	}
	return best
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// inherit puts the rules of a file over those of its base: a rule with the same ID takes the base rule's place.
func inherit[T any](base, own []T, drop []string, id func(T) string) []T {
	out := slices.Clone(base)
	for _, r := range own {
		if i := slices.IndexFunc(out, func(b T) bool { return id(b) == id(r) }); i >= 0 {
			out[i] = r
		} else {
			out = append(out, r)
		}
	}
	return slices.DeleteFunc(out, func(r T) bool { return slices.Contains(drop, id(r)) })
}

func ruleID(r rule) string { return r.ID }

// lineage returns the chain of files from id's furthest base to id itself.
func lineage[F any](files map[string]*F, kind, id string, base func(*F) string) ([]*F, error) {
	var out []*F
	seen := map[string]bool{}
	for at := id; at != ""; {
		f, ok := files[at]
		if !ok {
			return nil, fmt.Errorf("policy: %s %s is based on %s, which doesn't exist", kind, id, at)
		}
		if seen[at] {
			return nil, fmt.Errorf("policy: %s %s is based on itself", kind, id)
		}
		seen[at] = true
		out = append(out, f)
		at = base(f)
	}
	slices.Reverse(out)
	return out, nil
}

func resolveStack(files map[string]*stackFile, id string) (*stackFile, error) {
	line, err := lineage(files, "stack", id, func(f *stackFile) string { return f.Base })
	if err != nil {
		return nil, err
	}
	out := *line[0]
	for _, f := range line[1:] {
		next := *f
		next.Rules = inherit(out.Rules, f.Rules, f.Drop, ruleID)
		next.Alerts = maps.Clone(out.Alerts)
		maps.Copy(next.Alerts, f.Alerts)
		next.Path = cmp.Or(f.Path, out.Path)
		if len(f.Order) == 0 {
			next.Order = out.Order
		}
		out = next
	}
	return &out, nil
}

func resolveProduct(files map[string]*productFile, id string) (*productFile, error) {
	line, err := lineage(files, "product", id, func(f *productFile) string { return f.Base })
	if err != nil {
		return nil, err
	}
	out := *line[0]
	for _, f := range line[1:] {
		next := *f
		next.Rules = inherit(out.Rules, f.Rules, f.Drop, ruleID)
		next.Facts = inherit(out.Facts, f.Facts, f.Drop, func(f fact) string { return f.ID })
		next.Settings = merge(out.Settings, f.Settings)
		next.Roles = merge(out.Roles, f.Roles)
		next.Stack = cmp.Or(f.Stack, out.Stack)
		next.Protocol = cmp.Or(f.Protocol, out.Protocol)
		next.Note = cmp.Or(f.Note, out.Note)
		next.TwoCertificates = cmp.Or(f.TwoCertificates, out.TwoCertificates)
		out = next
	}
	return &out, nil
}

func merge[K comparable, V any](base, own map[K]V) map[K]V {
	out := maps.Clone(base)
	if out == nil {
		out = map[K]V{}
	}
	maps.Copy(out, own)
	return out
}
