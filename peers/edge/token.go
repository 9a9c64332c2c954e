package edge

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// tokenLife is how long a token is valid: the default of Lync Server 2013 (topic "Staging AV and OAuth certificates
// using -Roll").
const tokenLife = 8 * time.Hour

// A token is what MRAS hands out and the A/V Edge takes: credentials that need no list of users, because the password
// follows from the user name and a key that both services have.
type token struct {
	Username string // "<expiry, Unix seconds>:<whom it was given to>"
	Password string
}

// A signer makes and checks tokens.
type signer struct {
	key [sha256.Size]byte
	now func() time.Time
}

// newSigner returns the signer whose key is the private key of cert, so that all Edge Servers of a pool, which share
// that key, take each other's tokens.
func newSigner(cert *tls.Certificate, now func() time.Time) (*signer, error) {
	if cert == nil {
		return nil, fmt.Errorf("MRAS signs its tokens with the key of the internal certificate, and there is none")
	}
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("key of the internal certificate: %w", err)
	}
	return &signer{key: sha256.Sum256(der), now: now}, nil
}

// issue makes a token for identity.
func (s *signer) issue(identity string) token {
	whom := sha256.Sum256([]byte(identity))
	name := strconv.FormatInt(s.now().Add(tokenLife).Unix(), 10) + ":" + hex.EncodeToString(whom[:8])
	return token{Username: name, Password: s.password(name)}
}

// check returns the password that belongs to a user name, and whether that name is still good.
func (s *signer) check(username string) (string, bool) {
	expiry, _, ok := strings.Cut(username, ":")
	at, err := strconv.ParseInt(expiry, 10, 64)
	if !ok || err != nil || s.now().Unix() >= at {
		return "", false
	}
	return s.password(username), true
}

func (s *signer) password(username string) string {
	m := hmac.New(sha256.New, s.key[:])
	m.Write([]byte(username))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}
