package judge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/edgelab/edgelab/lab/source"
)

// A Row is one chain, the product that is to judge it, and the circumstances.
type Row struct {
	Product string // its ID, as in "prosody-0.12"
	Role    string // "acceptor" judges the connecting side's certificate, "initiator" the answering side's
	Name    string // whom the product looks for; empty: only for products that compare no names
	Chain   Files  // as presented, leaf first
	Roots   Files  // the product's trust store
	CRL     Files  // the CRLs that the product has at hand
	At      string // 2027-03-15 or RFC 3339; empty: the Judge's date
	TLS     string // "1.2" or "1.3", the most that the peer offers; empty: 1.3
	// Set are the product's settings by its own names; unset: as packaged.
	Set map[string]string
	// NoCertificate asks what becomes of a peer that shows none.
	NoCertificate bool
	// Own asks whether the product takes the chain as its own, to show it in the role. Roots and name mean nothing then.
	Own bool
	// Labels are fields of a JSON row that mean nothing here; they come back with the result.
	Labels map[string]json.RawMessage
}

// Files are the sources of certificates or CRLs, read one after the other: each a path, or the text itself where it
// has a PEM header. nil means that nothing was said, an empty list that there are none.
type Files []string

// UnmarshalJSON takes a string or a list of strings; the empty string stands for the empty list.
func (f *Files) UnmarshalJSON(data []byte) error {
	var one string
	if err := json.Unmarshal(data, &one); err == nil {
		*f = Files{}
		if one != "" {
			*f = Files{one}
		}
		return nil
	}
	var several []string
	if err := json.Unmarshal(data, &several); err != nil || several == nil {
		return fmt.Errorf("a path, PEM text, or a list of such is wanted, not %s", excerpt(data))
	}
	*f = several
	return nil
}

// An Error says why a row can't be judged. It is the user's to mend.
type Error struct {
	Reason string
	WayOut string // may be empty
	Err    error  // the cause, if there is one below
}

func (e *Error) Error() string {
	if e.WayOut == "" {
		return e.Reason
	}
	return e.Reason + "; " + e.WayOut
}

func (e *Error) Unwrap() error { return e.Err }

// fault returns an *Error.
func fault(wayOut, format string, args ...any) error {
	return &Error{Reason: fmt.Sprintf(format, args...), WayOut: wayOut}
}

// Fields returns the names of a JSON row's fields, which are those of the command's flags.
func Fields() []string {
	return []string{"product", "role", "name", "chain", "roots", "crl", "at", "tls", "set", "no-certificate", "own"}
}

// ParseRow reads a row in its JSON form, an object with the fields of Fields. A field that is probably a misspelt one is
// an error; any other goes to Labels. The error is an *Error.
func ParseRow(text []byte) (Row, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return Row{}, fault("a row is one JSON object in one line", "no JSON object: %s", jsonFault(err))
	}
	if fields == nil {
		return Row{}, fault("a row is one JSON object in one line", "no JSON object: null")
	}
	var r Row
	into := map[string]any{
		"product": &r.Product, "role": &r.Role, "name": &r.Name, "chain": &r.Chain, "roots": &r.Roots, "crl": &r.CRL,
		"at": &r.At, "tls": (*version)(&r.TLS), "set": (*settings)(&r.Set), "no-certificate": &r.NoCertificate, "own": &r.Own,
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		value := fields[key]
		target, ok := into[strings.ReplaceAll(key, "_", "-")]
		if !ok {
			if near, ok := source.Nearest(key, Fields()); ok {
				return r, fault("did you mean \""+near+"\"?", "there is no field %q", key)
			}
			if r.Labels == nil {
				r.Labels = map[string]json.RawMessage{}
			}
			r.Labels[key] = value
			continue
		}
		if bytes.Equal(value, []byte("null")) {
			continue
		}
		if err := json.Unmarshal(value, target); err != nil {
			return r, fault("", "field %q: %s", key, jsonFault(err))
		}
	}
	return r, nil
}

// jsonFault says in one line what is wrong with a JSON text.
func jsonFault(err error) string {
	if t, ok := err.(*json.UnmarshalTypeError); ok { //nolint:errorlint // Unmarshal returns it bare
		return fmt.Sprintf("a %s is wanted, not a %s", t.Type.Kind(), t.Value)
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// version reads "1.3" and 1.3.
type version string

func (v *version) UnmarshalJSON(data []byte) error {
	text := string(data)
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = unquoted
	}
	*v = version(text)
	return nil
}

// settings reads {"name": value} and ["name=value"]; values may be strings, numbers and truth values.
type settings map[string]string

func (s *settings) UnmarshalJSON(data []byte) error {
	*s = settings{}
	var pairs []string
	if err := json.Unmarshal(data, &pairs); err == nil {
		set, err := ParseSettings(pairs)
		*s = set
		return err
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(data, &values); err != nil {
		return fmt.Errorf(`an object of settings is wanted, not %s`, excerpt(data))
	}
	for name, value := range values {
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			text = string(value)
			if value[0] == '{' || value[0] == '[' || text == "null" {
				return fmt.Errorf("setting %q: a string, a number or a truth value is wanted, not %s", name, excerpt(value))
			}
		}
		(*s)[name] = text
	}
	return nil
}

// ParseSettings reads settings written as name=value. The error is an *Error.
func ParseSettings(pairs []string) (map[string]string, error) {
	set := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, fault("", "setting %q: write name=value", pair)
		}
		set[name] = value
	}
	return set, nil
}

// ParseDate reads 2027-03-15 (midnight, UTC) or RFC 3339. The error is an *Error.
func ParseDate(text string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fault("", "%q is no date; write 2027-03-15 or 2027-03-15T12:00:00Z", text)
}

// over returns r with what it leaves open taken from defaults.
func (r Row) over(defaults Row) Row {
	for _, f := range []struct{ own, other *string }{
		{&r.Product, &defaults.Product}, {&r.Role, &defaults.Role}, {&r.Name, &defaults.Name},
		{&r.At, &defaults.At}, {&r.TLS, &defaults.TLS},
	} {
		if *f.own == "" {
			*f.own = *f.other
		}
	}
	r.Own = r.Own || defaults.Own
	if r.Roots == nil {
		r.Roots = defaults.Roots
	}
	if r.CRL == nil {
		r.CRL = defaults.CRL
	}
	if len(defaults.Set) > 0 {
		set := maps.Clone(defaults.Set)
		maps.Copy(set, r.Set)
		r.Set = set
	}
	if r.Chain == nil && !r.NoCertificate {
		r.Chain, r.NoCertificate = defaults.Chain, defaults.NoCertificate
	}
	return r
}

// excerpt shortens what a message quotes.
func excerpt(data []byte) string {
	const most = 40
	if len(data) > most {
		return string(data[:most]) + "…"
	}
	return string(data)
}
