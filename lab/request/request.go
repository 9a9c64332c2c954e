package request

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/topology"
)

// Options are what the Windows forms of a request need beside the plan.
type Options struct {
	// Topology is the deployment that the plan is for: Request-CsCertificate derives names from it by itself.
	Topology topology.Topology
	// Computer is the FQDN of the Edge Server that makes the request; empty: with a single Edge Server the internal
	// FQDN, which is its name, and with a pool the computer on which the line is run.
	Computer string
	// Template is the certificate template to ask for; empty: a mark to be replaced where one is needed.
	Template string
	// CA is the internal CA, as host\name; empty: the request goes into a file.
	CA string
}

// A Request is one line of a plan, ready to be handed to a CA.
type Request struct {
	Certificate plan.Certificate
	Order       plan.Order
	Key         crypto.Signer
	CSR         []byte // DER
	Inf         string // for certreq -new
	Shell       string // for the Lync Server Management Shell
	// Notes is what a form can't express, and so what will differ.
	Notes []Note
}

// A Form is one of the forms of a request.
type Form string

// The forms.
const (
	FormCSR   Form = "csr"
	FormInf   Form = "inf"
	FormShell Form = "shell"
)

// A Note is something that one form of a request can't say.
type Note struct {
	Form   Form   `json:"form"`
	Detail string `json:"detail"`
}

// Make generates a key and makes the request of an order; c is the line of the plan that the order was resolved from.
// The error names the line and the field.
func Make(c plan.Certificate, o plan.Order, opts Options) (Request, error) {
	r := Request{Certificate: c, Order: o}
	if err := checkNames(o); err != nil {
		return Request{}, fmt.Errorf("request %s: %w", c.Key, err)
	}
	key, err := generate(o.Key)
	if err != nil {
		return Request{}, fmt.Errorf("request %s: %w", c.Key, err)
	}
	r.Key = key
	if r.CSR, err = csr(o, key); err != nil {
		return Request{}, fmt.Errorf("request %s: %w", c.Key, err)
	}
	r.Inf = r.inf(opts)
	r.Shell = r.shell(opts)
	return r, nil
}

// checkNames refuses what would break out of a line or a quotation in one of the forms. No name that a CA would
// vouch for has such characters.
func checkNames(o plan.Order) error {
	names := []string{o.Subject}
	for _, n := range o.SANs {
		names = append(names, n.Value)
	}
	for _, n := range names {
		if i := strings.IndexFunc(n, func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune("\"'`$&%,;= ", r) }); i >= 0 {
			return fmt.Errorf("the name %q has the character %q: write an internationalised domain as its A-label (xn--…), and leave everything else out", n, []rune(n[i:])[0])
		}
	}
	return nil
}

func generate(kind string) (crypto.Signer, error) {
	switch kind {
	case "rsa-1024":
		return nil, fmt.Errorf("key %s: too short for a real certificate (BR §6.1.5); take rsa-2048", kind)
	case "rsa-2048":
		return rsa.GenerateKey(rand.Reader, 2048)
	case "rsa-3072":
		return rsa.GenerateKey(rand.Reader, 3072)
	case "rsa-4096":
		return rsa.GenerateKey(rand.Reader, 4096)
	case "ecdsa-p256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ecdsa-p384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ecdsa-p521":
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, fmt.Errorf("no key type is called %q; %s", kind, source.Suggest(kind, plan.KeyTypes()))
}

// CSRPEM returns the request as most CAs take it.
func (r Request) CSRPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: r.CSR})
}

// KeyPEM returns the private key, unencrypted, as PKCS#8.
func (r Request) KeyPEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(r.Key)
	if err != nil {
		return nil, fmt.Errorf("request %s: the key can't be written: %w", r.Certificate.Key, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func (r *Request) note(form Form, format string, args ...any) {
	r.Notes = append(r.Notes, Note{form, fmt.Sprintf(format, args...)})
}
