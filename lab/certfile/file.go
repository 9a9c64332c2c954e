package certfile

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// MaxSize is the most bytes that a file may have. A chain with its key has a few kilobytes.
const MaxSize = 1 << 20

// maxCertificates is the most certificates that a file may hold, so that a root store isn't searched for a chain.
const maxCertificates = 64

// A Format is how a file is written.
type Format string

// The formats.
const (
	PEM    Format = "PEM"
	DER    Format = "DER"
	Base64 Format = "base64 without armour"
	PKCS7  Format = "PKCS#7"
	PKCS12 Format = "PKCS#12"
)

// A File is what was read. It has a Chain or a Request.
type File struct {
	Name   string
	Format Format
	// Chain is the leaf and its issuers as far as the file has them, each issued by the next.
	Chain []*x509.Certificate
	// Extra are certificates of the file that don't belong to the chain.
	Extra []*x509.Certificate
	// Request is set if the file is a certificate request; Chain is empty then.
	Request *x509.CertificateRequest
	// Key is the leaf's or the request's private key, if the file has it.
	Key      crypto.Signer
	Findings []Finding
}

// Leaf returns the certificate that the file is about, or nil for a request.
func (f File) Leaf() *x509.Certificate {
	if len(f.Chain) == 0 {
		return nil
	}
	return f.Chain[0]
}

// A Finding is something about a file that its owner should know.
type Finding struct {
	Rule   string `json:"rule"` // stable: "intermediate-missing"
	Detail string `json:"detail"`
	WayOut string `json:"way-out,omitempty"`
}

func (f Finding) String() string { return f.Detail }

// Options are what a reader may need beside the file.
type Options struct {
	Password string // of a PKCS#12 file
	Key      []byte // a private key from a file of its own, PEM or DER; nil: there is none
	KeyName  string // that file's name, as it appears in messages
}

// ErrPassword is the cause of an Error when a password is missing or wrong.
var ErrPassword = errors.New("the password is missing or wrong")

// An Error says why a file can't be read.
type Error struct {
	File   string
	Reason string
	WayOut string // may be empty
	Err    error  // the cause, if there is one below
}

func (e *Error) Error() string {
	text := e.File + ": " + e.Reason
	if e.WayOut != "" {
		text += "; " + e.WayOut
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// ReadFile reads the file at a path. The error is an *Error, or that of the file system.
func ReadFile(path string, opts Options) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, fmt.Errorf("can't read the certificate: %w", err)
	}
	defer f.Close() //nolint:errcheck // read only
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return File{}, fmt.Errorf("can't read the certificate: %w", err)
	}
	return Read(path, data, opts)
}

// Read reads a file's contents. name is the file's, as it appears in messages. The error is an *Error.
func Read(name string, data []byte, opts Options) (File, error) {
	r := reader{name: name, opts: opts}
	if len(data) > MaxSize {
		return File{}, r.fault("is it the right file?", "the file has more than %d KiB, the most that is read", MaxSize>>10)
	}
	if err := r.read(data); err != nil {
		return File{}, err
	}
	if opts.Key != nil {
		k := reader{name: opts.KeyName, opts: opts}
		if err := k.read(opts.Key); err != nil {
			return File{}, err
		}
		if len(k.keys) == 0 {
			return File{}, k.fault("give the key that the request was made with", "the file holds no private key")
		}
		r.keys = append(r.keys, k.keys...)
	}
	return r.file()
}

// fault returns an *Error.
func (r *reader) fault(wayOut, format string, args ...any) error {
	return &Error{File: r.name, Reason: fmt.Sprintf(format, args...), WayOut: wayOut}
}

// wrap returns an *Error with a cause.
func (r *reader) wrap(err error, wayOut, what string) error {
	return &Error{File: r.name, Reason: what + ": " + short(err), WayOut: wayOut, Err: err}
}

// short drops what a library puts before its message.
func short(err error) string {
	text := err.Error()
	for _, prefix := range []string{"x509: ", "pkcs7: ", "pkcs12: ", "asn1: ", "ber2der: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}
