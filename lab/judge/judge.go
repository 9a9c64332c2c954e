package judge

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
)

// A Judge answers rows. What it has read and verified it remembers. It is safe for concurrent use.
type Judge struct {
	products *policy.Catalogue
	now      time.Time
	files    *library

	asked      atomic.Int64
	signatures atomic.Pointer[policy.Signatures]
}

// New returns a Judge that takes now for the date where a row has none.
func New(products *policy.Catalogue, now time.Time) *Judge {
	j := &Judge{products: products, now: now.UTC(), files: newLibrary()}
	j.signatures.Store(new(policy.Signatures))
	return j
}

// A Result is what a product makes of a row.
type Result struct {
	Product  string            `json:"product"`
	Role     policy.Role       `json:"role"`
	Name     string            `json:"name,omitempty"` // whom it looked for
	At       time.Time         `json:"at"`
	TLS      string            `json:"tls"`           // the version that is negotiated
	Settings map[string]string `json:"set,omitempty"` // as given
	// Own is set if the product was asked for a certificate of its own.
	Own bool `json:"own,omitempty"`

	Outcome verdict.Outcome `json:"outcome"`
	Layer   verdict.Layer   `json:"layer"`
	Verdict verdict.Code    `json:"verdict"`
	Alert   uint8           `json:"alert"` // TLS alert that the product sends; 0: none
	// Checks are all that were put to the chain. A failed one doesn't always decide: Outcome does.
	Checks []verdict.Check            `json:"checks"`
	Labels map[string]json.RawMessage `json:"labels,omitempty"`
}

// Judge answers a row. The error is an *Error.
func (j *Judge) Judge(r Row) (Result, error) {
	p, q, err := j.question(r)
	if err != nil {
		return Result{}, err
	}
	var a verdict.Judgement
	if r.Own {
		a = p.Own(q.Role, q.Chain[0], q.Settings)
	} else {
		a = p.Judge(q)
	}
	out := Result{Own: r.Own,
		Product: p.ID(), Role: q.Role, Name: q.Name, At: q.At, TLS: versionName(q.TLS), Settings: q.Settings,
		Outcome: a.Outcome, Layer: a.Layer, Verdict: a.Code, Alert: a.Alert, Checks: a.Checks, Labels: r.Labels,
	}
	if out.Checks == nil {
		out.Checks = []verdict.Check{}
	}
	return out, nil
}

// maxAsked is after how many questions the verified signatures are forgotten, which bounds the memory that a batch of
// any length takes.
const maxAsked = 100_000

// question reads what a row names.
func (j *Judge) question(r Row) (*policy.Product, policy.Question, error) {
	q := policy.Question{Role: policy.Role(r.Role), Name: r.Name, At: j.now, Settings: r.Set}
	p, ok := j.products.Product(r.Product)
	switch {
	case r.Product == "":
		return nil, q, fault("edgelab products lists them", "no product is named")
	case !ok:
		return nil, q, fault(source.Suggest(r.Product, j.products.Names()), "there is no product %q", r.Product)
	case r.Role == "":
		return nil, q, fault(fmt.Sprintf("%s judges the connecting side's certificate, %s the answering side's", policy.Acceptor, policy.Initiator), "no role is named")
	case q.Role != policy.Acceptor && q.Role != policy.Initiator:
		return nil, q, fault(source.Suggest(r.Role, []string{string(policy.Acceptor), string(policy.Initiator)}), "there is no role %q", r.Role)
	}
	b, err := p.Behaviour(q.Role, r.Set)
	if err != nil {
		reason, wayOut, _ := strings.Cut(err.Error(), "; ")
		return nil, q, &Error{Reason: reason, WayOut: wayOut, Err: err}
	}
	if r.At != "" {
		if q.At, err = ParseDate(r.At); err != nil {
			return nil, q, err
		}
	}
	if q.TLS, err = negotiate(p, r.TLS, b); err != nil {
		return nil, q, err
	}
	if err := j.open(r, b, &q); err != nil {
		return nil, q, err
	}
	if j.asked.Add(1)%maxAsked == 0 {
		j.signatures.Store(new(policy.Signatures))
	}
	q.Signatures = j.signatures.Load()
	return p, q, nil
}

// open reads the files that a row names.
func (j *Judge) open(r Row, b policy.Behaviour, q *policy.Question) error {
	switch {
	case r.NoCertificate && len(r.Chain) > 0:
		return fault("leave one away", "a chain is given, and no-certificate as well")
	case r.NoCertificate && r.Own:
		return fault("leave one away", "the product's own certificate is asked for, and none is shown")
	case r.NoCertificate:
		return nil
	case len(r.Chain) == 0:
		return fault("no-certificate asks what becomes of a peer that shows none", "no chain is given")
	case r.Own:
		chain, err := j.files.read(forChain, r.Chain)
		if err != nil {
			return err
		}
		if q.Chain = chain.certs; len(q.Chain) == 0 {
			return fault("", "chain: there is no certificate in it")
		}
		return nil
	case r.Roots == nil:
		return fault(`an empty roots ("") stands for a store without any`, "no roots are given")
	case r.Name == "" && b.Reference != policy.RefNone:
		return fault("", "no name is given, and %s as %s looks for %s", r.Product, r.Role, b.Reference.Words())
	}
	chain, err := j.files.read(forChain, r.Chain)
	if err != nil {
		return err
	}
	roots, err := j.files.read(forRoots, r.Roots)
	if err != nil {
		return err
	}
	crl, err := j.files.read(forCRL, r.CRL)
	if err != nil {
		return err
	}
	q.Chain, q.Roots, q.CRL = chain.certs, roots.certs, crlOf(crl.crls)
	switch {
	case len(q.Chain) == 0:
		return fault("", "chain: there is no certificate in it")
	case len(q.Chain) > maxChain:
		return fault("a root store isn't a chain", "chain: it has %d certificates, more than %d", len(q.Chain), maxChain)
	case len(q.Roots) == 0 && len(r.Roots) > 0:
		return fault("", "roots: there is no certificate in it")
	case len(crl.crls) == 0 && len(r.CRL) > 0:
		return fault("", "crl: there is no CRL in it")
	}
	return nil
}

// negotiate returns the version of TLS that comes about with a peer that offers up to most.
func negotiate(p *policy.Product, most string, b policy.Behaviour) (uint16, error) {
	offered := uint16(tls.VersionTLS13)
	switch most {
	case "", "1.3":
	case "1.2":
		offered = tls.VersionTLS12
	default:
		return 0, fault("it is 1.2 or 1.3", "there is no TLS version %q", most)
	}
	v := min(offered, b.MaxTLS)
	if v < b.MinTLS {
		return 0, fault("", "%s doesn't speak TLS %s; it begins with %s", p.ID(), most, versionName(b.MinTLS))
	}
	return v, nil
}

func versionName(v uint16) string { return strings.TrimPrefix(tls.VersionName(v), "TLS ") }
