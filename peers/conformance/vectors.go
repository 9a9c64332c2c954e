package conformance

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"time"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
)

// Vectors are certificate cases as data, in the format of x509-limbo (github.com/C2SP/x509-limbo, limbo-schema.json,
// version 1), so that its harnesses and others can read them. What the format has no key for is under "edgelab", which
// its readers pass over.
type Vectors struct {
	Version int      `json:"version"` // of the format
	Cases   []Vector `json:"testcases"`
}

// A Vector is one certificate put to one end. SERVER is a server's certificate, as the side that connects judges it;
// CLIENT is the certificate of a side that connects, as the server judges it.
type Vector struct {
	ID                 string       `json:"id"` // "edgelab::eku-client::server"
	ConflictsWith      []string     `json:"conflicts_with"`
	Features           []string     `json:"features"`
	Importance         string       `json:"importance"`
	Description        string       `json:"description"`
	ValidationKind     string       `json:"validation_kind"`
	Trusted            []string     `json:"trusted_certs"`
	Intermediates      []string     `json:"untrusted_intermediates"`
	Peer               string       `json:"peer_certificate"`
	PeerKey            string       `json:"peer_certificate_key"`
	Time               time.Time    `json:"validation_time"`
	SignatureAlgorithm []string     `json:"signature_algorithms"`
	KeyUsage           []string     `json:"key_usage"`
	EKU                []string     `json:"extended_key_usage"`
	Expected           string       `json:"expected_result"` // see Measured.Why
	PeerName           *VectorName  `json:"expected_peer_name"`
	PeerNames          []VectorName `json:"expected_peer_names"`
	MaxChainDepth      *int         `json:"max_chain_depth"`
	CRLs               []string     `json:"crls"`
	Edgelab            Measured     `json:"edgelab"`
}

// A VectorName is a name that is looked for.
type VectorName struct {
	Kind  string `json:"kind"` // "DNS"
	Value string `json:"value"`
}

// Measured is what stands behind a Vector.
type Measured struct {
	Variant string           `json:"variant"`
	Group   string           `json:"group"`
	Why     string           `json:"why"`     // what the expected result follows from
	Results []MeasuredResult `json:"results"` // of the real products, with their packaged settings
}

// A MeasuredResult is what one version of one product did with a Vector.
type MeasuredResult struct {
	Stack   string  `json:"stack"` // "openssl-3.0.20"
	TLS     string  `json:"tls"`
	Outcome Outcome `json:"outcome"`
	Alert   uint8   `json:"alert,omitempty"`
	// Name is what the product looked for; empty: it was given no name, so that a name can't be why it refuses.
	Name string `json:"name,omitempty"`
}

// yardstick is the product whose stack is RFC 5280 to the letter.
const yardstick = "sip-rfc5922"

// MakeVectors makes the certificates of every variant, valid around a moment, and says of each in each role what RFC 5280
// (paths, purposes: the engine's stack rfc5280) and RFC 9525 (a server's dNSName) make of it, and what was measured.
// Keys are new each time.
func MakeVectors(at time.Time) (*Vectors, error) {
	policies, err := policy.Load()
	if err != nil {
		return nil, err
	}
	product, ok := policies.Product(yardstick)
	if !ok {
		return nil, fmt.Errorf("there is no policy for %s", yardstick)
	}
	results, err := measuredResults()
	if err != nil {
		return nil, err
	}
	f := newForge(at)
	out := &Vectors{Version: 1}
	for _, v := range Variants() {
		if v.NoCertificate {
			continue // the format has no case without a certificate
		}
		c, err := f.make(v)
		if err != nil {
			return nil, err
		}
		for _, role := range []Role{Initiator, Acceptor} {
			if !v.in(role) {
				continue
			}
			vec, err := vector(c, role, at, product)
			if err != nil {
				return nil, fmt.Errorf("variant %s: %w", v.Name, err)
			}
			if r := results[v.Name][role]; r != nil {
				vec.Edgelab.Results = r
			}
			out.Cases = append(out.Cases, vec)
		}
	}
	return out, nil
}

// measuredResults returns what was measured with packaged settings, by variant and role.
func measuredResults() (map[string]map[Role][]MeasuredResult, error) {
	matrices, err := Committed()
	if err != nil {
		return nil, err
	}
	out := map[string]map[Role][]MeasuredResult{}
	for _, m := range matrices {
		for _, r := range m.Rows {
			if len(r.Settings) > 0 {
				continue
			}
			if out[r.Variant] == nil {
				out[r.Variant] = map[Role][]MeasuredResult{}
			}
			out[r.Variant][r.Role] = append(out[r.Variant][r.Role], MeasuredResult{m.ID(), r.TLS, r.Outcome, r.Alert, r.Name})
		}
	}
	return out, nil
}

func vector(c *Credential, role Role, at time.Time, product *policy.Product) (Vector, error) {
	v := c.Variant
	key, err := x509.MarshalPKCS8PrivateKey(c.Key)
	if err != nil {
		return Vector{}, err
	}
	out := Vector{
		ID: "edgelab::" + v.Name + "::client", ConflictsWith: []string{}, Features: []string{}, Importance: "undetermined",
		Description: v.Asks, ValidationKind: "CLIENT", EKU: []string{"clientAuth"},
		Trusted: pems(c.Store), Intermediates: pems(c.Presented[1:]), Peer: pems(c.Presented[:1])[0],
		PeerKey: encoded("PRIVATE KEY", key), Time: at.UTC(), SignatureAlgorithm: []string{}, KeyUsage: []string{},
		PeerNames: []VectorName{}, CRLs: []string{},
		Edgelab: Measured{Variant: v.Name, Group: v.Group, Results: []MeasuredResult{}},
	}
	q := policy.Question{Role: policy.Acceptor, Chain: c.Presented, Roots: c.Store, At: at, TLS: tls.VersionTLS13}
	if role == Initiator {
		q.Role = policy.Initiator
		out.ID, out.ValidationKind, out.EKU = "edgelab::"+v.Name+"::server", "SERVER", []string{"serverAuth"}
		out.PeerName = &VectorName{"DNS", c.Name}
	}
	if v.Revoked {
		out.Features = append(out.Features, "has-crl")
		for _, l := range c.CRLs {
			out.CRLs = append(out.CRLs, encoded("X509 CRL", l.Raw))
		}
		q.CRL = c.CRL
	}
	out.Expected, out.Edgelab.Why = expected(product.Handshake(q), c, role)
	return out, nil
}

// expected says what a case comes to, and why.
func expected(j verdict.Judgement, c *Credential, role Role) (result, why string) {
	const success, failure = "SUCCESS", "FAILURE"
	if failed := j.Failed(); len(failed) > 0 {
		return failure, fmt.Sprintf("%s: %s [%s]", failed[0].Code, failed[0].Detail, failed[0].Source.Ref)
	}
	switch {
	case c.Variant.Revoked:
		return failure, "revoked: the issuer's CRL lists it [RFC 5280 §6.3]"
	case role == Acceptor:
		return success, "nothing in RFC 5280 is against it, for a client"
	}
	if err := c.Presented[0].VerifyHostname(c.Name); err != nil {
		return failure, fmt.Sprintf("%s: no dNSName is %s [RFC 9525 §6.3]", verdict.NameMismatch, c.Name)
	}
	return success, "nothing in RFC 5280 is against it, for a server, and a dNSName is the one that is looked for"
}

func pems(list []*x509.Certificate) []string {
	out := []string{}
	for _, c := range list {
		out = append(out, encoded("CERTIFICATE", c.Raw))
	}
	return out
}

func encoded(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// JSON writes the vectors, a case a line.
func (v *Vectors) JSON(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"version\": %d,\n\"testcases\": [", v.Version)
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for i, c := range v.Cases {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
		if err := e.Encode(c); err != nil {
			return err
		}
		b.Truncate(b.Len() - 1) // Encode's line break
		if _, err := b.WriteTo(w); err != nil {
			return err
		}
	}
	b.WriteString("\n]}\n")
	_, err := b.WriteTo(w)
	return err
}
