package conformance

import (
	"bytes"
	"crypto/tls"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// An Outcome is what a product does about a certificate.
type Outcome string

const (
	Trusted  Outcome = "trusted"
	Rejected Outcome = "rejected"
	// Fallback: the certificate isn't trusted, and the product goes on to authenticate by dialback (XEP-0220).
	Fallback Outcome = "fallback-dialback"
)

// An Observation is what one probe has seen.
type Observation struct {
	Outcome Outcome `json:"outcome"`
	// Layer is where a refusal took effect: "tls" (in the handshake) or "application" (after it).
	Layer  string `json:"layer"`
	Alert  uint8  `json:"alert,omitempty"`  // that the product sent; 0: none
	Detail string `json:"detail,omitempty"` // the product's own words, where it has any
}

// A Row is one measurement: a variant put to a product.
type Row struct {
	Variant  string            `json:"variant"`
	Role     Role              `json:"role"`
	Settings map[string]string `json:"settings,omitempty"` // by the product's own names; what isn't named is as in Setup
	TLS      string            `json:"tls"`                // "1.2" or "1.3"
	Name     string            `json:"name,omitempty"`     // what the product looked for; empty: it was given no name
	Observation
	Note string `json:"note,omitempty"`
}

// Key names a row: what was asked, without the answer.
func (r Row) Key() string {
	var settings []string
	for _, k := range slices.Sorted(maps.Keys(r.Settings)) {
		settings = append(settings, k+"="+r.Settings[k])
	}
	key := fmt.Sprintf("%s/%s/tls%s", r.Variant, r.Role, r.TLS)
	if len(settings) > 0 {
		key += "/" + strings.Join(settings, ",")
	}
	return key
}

// Answer is the part of an observation that is compared.
func (o Observation) Answer() string {
	return fmt.Sprintf("%s at %s, alert %d", o.Outcome, o.Layer, o.Alert)
}

// A Matrix is everything measured on one version of one product.
type Matrix struct {
	Product string   `json:"product"` // "prosody"
	Version string   `json:"version"` // of the Debian package, or of the toolchain
	Policy  string   `json:"policy"`  // the policy that models it
	Release string   `json:"release"` // Debian's, "" for what comes with the harness
	Date    string   `json:"date"`    // of the measurement
	Setup   string   `json:"setup"`   // how the product was run
	Notes   []string `json:"notes,omitempty"`
	Rows    []Row    `json:"-"`
}

// ID is the name of the matrix's file: product and upstream version.
func (m Matrix) ID() string { return m.Product + "-" + upstream(m.Version) }

// upstream takes epoch and Debian revision off a version.
func upstream(v string) string {
	if _, rest, ok := strings.Cut(v, ":"); ok {
		v = rest
	}
	v, _, _ = strings.Cut(v, "-")
	v, _, _ = strings.Cut(v, "+")
	return v
}

// MarshalJSON writes one row a line, so that a change can be read in a diff.
func (m Matrix) MarshalJSON() ([]byte, error) {
	type head Matrix
	var b bytes.Buffer
	h, err := json.MarshalIndent(head(m), "", "  ")
	if err != nil {
		return nil, err
	}
	b.Write(bytes.TrimSuffix(h, []byte("\n}")))
	b.WriteString(",\n  \"rows\": [")
	for i, r := range m.Rows {
		if i > 0 {
			b.WriteByte(',')
		}
		line, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		b.WriteString("\n    ")
		b.Write(line)
	}
	b.WriteString("\n  ]\n}\n")
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Matrix) UnmarshalJSON(data []byte) error {
	type head Matrix
	full := struct {
		*head
		Rows []Row `json:"rows"`
	}{head: (*head)(m)}
	if err := json.Unmarshal(data, &full); err != nil {
		return err
	}
	m.Rows = full.Rows
	return nil
}

//go:embed matrix/*
var committed embed.FS

// Committed returns the committed matrices, ordered by file name.
func Committed() ([]Matrix, error) {
	names, err := fs.Glob(committed, "matrix/*.json")
	if err != nil {
		return nil, err
	}
	var out []Matrix
	for _, name := range names {
		data, err := committed.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var m Matrix
		if err := json.Unmarshal(data, &m); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, m)
	}
	return out, nil
}

func versionName(v uint16) string {
	if v == tls.VersionTLS12 {
		return "1.2"
	}
	return "1.3"
}
