package wire

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
	"net"
	"strings"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"
)

// TLS record types and the level of every alert that ends a handshake (RFC 8446 §5.1, §6).
const (
	recordAlert       = 21
	recordApplication = 23
	alertFatal        = 2
	recordHeader      = 5
)

// An alertConn lets a judge choose the alert with which its refusal goes out. crypto/tls answers every refusal from
// VerifyConnection with bad_certificate (42); products send unsupported_certificate, unknown_ca or others, and those
// are what an administrator finds in a capture. So the connection below crypto/tls replaces the description in that
// one record. In TLS 1.2 it's in the clear; in TLS 1.3 it's sealed anew with the traffic secret that crypto/tls logs.
//
// Sealing twice with one nonce gives secrecy of that record away. The record is an alert of a lab.
type alertConn struct {
	net.Conn
	keyLog io.Writer

	mu      sync.Mutex
	alert   uint8 // 0: leave records alone
	suite   uint16
	secrets [][]byte // candidates under which the alert may be sealed

	seen clearAlert // of what is read; crypto/tls reads from one goroutine at a time
}

func (c *alertConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.seen.see(b[:n])
	return n, err
}

// A secretLog is crypto/tls's key log: it keeps the secrets this side writes with and passes each line on.
type secretLog struct {
	c      *alertConn
	labels []string
}

func (l secretLog) Write(line []byte) (int, error) {
	f := strings.Fields(string(line))
	for _, label := range l.labels {
		if len(f) == 3 && f[0] == label {
			if s, err := hex.DecodeString(f[2]); err == nil {
				l.c.mu.Lock()
				l.c.secrets = append(l.c.secrets, s)
				l.c.mu.Unlock()
			}
		}
	}
	if l.c.keyLog != nil {
		return l.c.keyLog.Write(line)
	}
	return len(line), nil
}

// arm makes the next alert record carry alert.
func (c *alertConn) arm(alert uint8, suite uint16) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alert, c.suite = alert, suite
}

func (c *alertConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	alert, suite, secrets := c.alert, c.suite, c.secrets
	c.mu.Unlock()
	if alert == 0 {
		return c.Conn.Write(b)
	}
	out := bytes.Clone(b)
	for rest := out; len(rest) >= recordHeader; {
		end := recordHeader + int(binary.BigEndian.Uint16(rest[3:5]))
		if end > len(rest) {
			break
		}
		rewriteAlert(rest[:end], alert, suite, secrets)
		rest = rest[end:]
	}
	n, err := c.Conn.Write(out)
	return min(n, len(b)), err
}

// rewriteAlert puts alert into one record, if that record is a fatal alert.
func rewriteAlert(rec []byte, alert uint8, suite uint16, secrets [][]byte) {
	body := rec[recordHeader:]
	switch rec[0] {
	case recordAlert:
		if len(body) == 2 && body[0] == alertFatal {
			body[1] = alert
		}
	case recordApplication:
		for _, secret := range secrets {
			aead, iv, err := trafficKeys(suite, secret)
			if err != nil {
				continue
			}
			// The first record under its secret, so the nonce is the IV itself (RFC 8446 §5.3).
			plain, err := aead.Open(nil, iv, body, rec[:recordHeader])
			if err != nil || len(plain) != 3 || plain[0] != alertFatal || plain[2] != recordAlert {
				continue
			}
			plain[1] = alert
			aead.Seal(body[:0], iv, plain, rec[:recordHeader])
			return
		}
	}
}

// trafficKeys derives key and IV of a TLS 1.3 traffic secret (RFC 8446 §7.3).
func trafficKeys(suite uint16, secret []byte) (cipher.AEAD, []byte, error) {
	h, size := sha256.New, 16
	switch suite {
	case tls.TLS_AES_256_GCM_SHA384:
		h, size = sha512.New384, 32
	case tls.TLS_CHACHA20_POLY1305_SHA256:
		size = chacha20poly1305.KeySize
	}
	key, err := expandLabel(h, secret, "key", size)
	if err != nil {
		return nil, nil, err
	}
	iv, err := expandLabel(h, secret, "iv", 12)
	if err != nil {
		return nil, nil, err
	}
	if suite == tls.TLS_CHACHA20_POLY1305_SHA256 {
		aead, err := chacha20poly1305.New(key)
		return aead, iv, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, err
	}
	aead, err := cipher.NewGCM(block)
	return aead, iv, err
}

// expandLabel is HKDF-Expand-Label with an empty context (RFC 8446 §7.1).
func expandLabel(h func() hash.Hash, secret []byte, label string, size int) ([]byte, error) {
	label = "tls13 " + label
	info := binary.BigEndian.AppendUint16(nil, uint16(size))
	info = append(info, byte(len(label)))
	info = append(info, label...)
	info = append(info, 0)
	return hkdf.Expand(h, secret, string(info), size)
}
