package judge

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/edgelab/edgelab/peers/policy"
)

// maxSize is the most bytes that are read of one file. The roots of all public CAs have a quarter of a megabyte.
const maxSize = 8 << 20

// maxChain is the most certificates that a chain may have: more than any stack takes.
const maxChain = 100

// maxKept is how many texts a library keeps before it forgets all of them.
const maxKept = 4096

// A library reads certificates and CRLs and remembers what it has read, so that roots and intermediates that come
// again and again are parsed once. It takes it that files don't change while it lives. It is safe for concurrent use.
type library struct {
	mu           sync.Mutex
	texts        map[[sha256.Size]byte]content
	files        map[string]content
	certificates map[[sha256.Size]byte]*x509.Certificate
}

// content is what a file has.
type content struct {
	certs []*x509.Certificate
	crls  []*x509.RevocationList
}

func newLibrary() *library {
	l := new(library)
	l.forget()
	return l
}

func (l *library) forget() {
	l.texts, l.files = map[[sha256.Size]byte]content{}, map[string]content{}
	l.certificates = map[[sha256.Size]byte]*x509.Certificate{}
}

// read returns what all of files have, in their order. what says in messages what they are for.
func (l *library) read(what string, files Files) (content, error) {
	var all content
	for _, f := range files {
		c, err := l.readOne(what, f)
		if err != nil {
			return content{}, err
		}
		if len(files) == 1 {
			return c, nil
		}
		all.certs, all.crls = append(all.certs, c.certs...), append(all.crls, c.crls...)
	}
	return all, nil
}

// What files are for, as messages have it.
const (
	forChain = "chain"
	forRoots = "roots"
	forCRL   = "crl"
)

const pemBegin = "-----BEGIN "

func (l *library) readOne(what, file string) (content, error) {
	if strings.Contains(file, pemBegin) {
		key := sha256.Sum256([]byte(file))
		return remember(l, l.texts, key, func() (content, error) { return l.parse(what, []byte(file)) })
	}
	return remember(l, l.files, file, func() (content, error) {
		data, err := readFile(file)
		if err != nil {
			var path *os.PathError
			if errors.As(err, &path) {
				err = path.Err
			}
			return content{}, &Error{Reason: fmt.Sprintf("%s: %s: %v", what, file, err), Err: err}
		}
		return l.parse(what+": "+file, data)
	})
}

// remember returns what known has for key, and makes it if there is nothing.
func remember[K comparable, V any](l *library, known map[K]V, key K, read func() (V, error)) (V, error) {
	l.mu.Lock()
	v, ok := known[key]
	l.mu.Unlock()
	if ok {
		return v, nil
	}
	v, err := read()
	if err != nil {
		return v, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(known) >= maxKept {
		clear(known)
	}
	known[key] = v
	return v, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = fmt.Errorf("it has more than %d MiB, the most that is read", maxSize>>20)
	}
	return data, err
}

// parse reads PEM with whatever stands between the blocks, or DER: certificates one after the other, or one CRL.
func (l *library) parse(what string, data []byte) (content, error) {
	if bytes.Contains(data, []byte(pemBegin)) {
		return l.parsePEM(what, data)
	}
	switch {
	case len(data) == 0:
		return content{}, fault("", "%s: it is empty", what)
	case data[0] != 0x30: // a SEQUENCE, with which everything in DER begins
		return content{}, fault("is it the right file?", "%s: it is neither PEM nor DER", what)
	}
	crl, crlErr := parseCRL(data)
	if crlErr == nil {
		return content{crls: []*x509.RevocationList{crl}}, nil
	}
	certs, err := parseAll(data)
	if err != nil && strings.HasPrefix(what, forCRL) {
		err = crlErr
	}
	if err != nil {
		return content{}, unreadable(what, err)
	}
	return content{certs: certs}, nil
}

// parseAll reads certificates in DER that follow each other.
func parseAll(data []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for len(data) > 0 {
		var one asn1.RawValue
		rest, err := asn1.Unmarshal(data, &one)
		if err != nil {
			return nil, err
		}
		c, err := policy.ParseCertificate(one.FullBytes)
		if err != nil {
			return nil, err
		}
		out, data = append(out, c), rest
	}
	return out, nil
}

func (l *library) parsePEM(what string, data []byte) (content, error) {
	var c content
	blocks := 0
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		blocks++
		if err := l.add(&c, what, block); err != nil {
			return content{}, err
		}
	}
	begun := bytes.Count(append([]byte{'\n'}, data...), []byte("\n"+pemBegin))
	if blocks < begun || blocks == 0 {
		return content{}, fault("", "%s: of %d PEM blocks %d can be read; the others are damaged", what, begun, blocks)
	}
	return c, nil
}

// add puts what a PEM block has into c.
func (l *library) add(c *content, what string, block *pem.Block) error {
	switch block.Type {
	case "CERTIFICATE", "X509 CERTIFICATE":
		key := sha256.Sum256(block.Bytes)
		cert, err := remember(l, l.certificates, key, func() (*x509.Certificate, error) { return policy.ParseCertificate(block.Bytes) })
		if err != nil {
			return unreadable(fmt.Sprintf("%s: certificate %d", what, len(c.certs)+1), err)
		}
		c.certs = append(c.certs, cert)
	case "X509 CRL":
		crl, err := parseCRL(block.Bytes)
		if err != nil {
			return unreadable(fmt.Sprintf("%s: CRL %d", what, len(c.crls)+1), err)
		}
		c.crls = append(c.crls, crl)
	case "PKCS7", "CMS":
		return fault("openssl pkcs7 -print_certs makes a chain of it", "%s: it is PKCS#7", what)
	case "TRUSTED CERTIFICATE":
		return fault("openssl x509 makes a plain certificate of it", "%s: it is a certificate with OpenSSL's own trust settings", what)
	}
	return nil // keys and parameters lie about in such files
}

func unreadable(what string, err error) error {
	return &Error{Reason: what + " can't be read: " + strings.TrimPrefix(err.Error(), "x509: "), Err: err}
}
