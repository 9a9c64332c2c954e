package conformance

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A KnownDifference is a group of rows about which the engine is known not to agree with a real product.
type KnownDifference struct {
	Products []string `json:"products"` // IDs of Products
	// Rows are keys of rows, in which an asterisk stands for any text. Every row that they cover differs.
	Rows   []string `json:"rows"`
	Reason string   `json:"reason"`
	// Varies says that the product itself answers now one way, now another, so that the rows may differ from the
	// committed ones too.
	Varies bool `json:"varies,omitempty"`
}

//go:embed differences.json
var knownDifferences []byte

// Known returns the differences between engine and products that are known, with their reasons.
func Known() ([]KnownDifference, error) {
	var out []KnownDifference
	if err := json.Unmarshal(knownDifferences, &out); err != nil {
		return nil, fmt.Errorf("differences.json: %w", err)
	}
	for i, k := range out {
		if k.Reason == "" || len(k.Rows) == 0 || len(k.Products) == 0 {
			return nil, fmt.Errorf("differences.json, entry %d: it needs products, rows and a reason", i+1)
		}
	}
	return out, nil
}

// covers reports whether k is about a row of a product.
func (k KnownDifference) covers(product, row string) bool {
	return slices.Contains(k.Products, product) &&
		slices.ContainsFunc(k.Rows, func(pattern string) bool { return globMatches(pattern, row) })
}

// globMatches reports whether pattern, in which an asterisk stands for any text, is the whole of s.
func globMatches(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	ok, err := regexp.MatchString("^"+strings.Join(parts, ".*")+"$", s)
	return ok && err == nil
}

// explain marks the differences that are known.
func explain(known []KnownDifference, list []Difference) {
	for i := range list {
		d := &list[i]
		for _, k := range known {
			if (k.Varies || d.Against == againstEngine) && k.covers(d.Product, d.Row) {
				d.Reason, d.Expected = k.Reason, true
			}
		}
	}
}
