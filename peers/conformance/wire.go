package conformance

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"time"
)

// patience bounds each step of a probe. A product that says nothing for so long is taken to be hung.
const patience = 30 * time.Second

// A dialFunc connects where the product is: sandbox.Dial.
type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// clientConfig is how the harness connects to a product: it shows c whatever certificate authorities the product
// names, and believes whatever it is shown.
func clientConfig(c *Credential, version uint16, serverName string) *tls.Config {
	return &tls.Config{
		InsecureSkipVerify: true, //nolint:gosec // the harness judges nothing
		MinVersion:         version, MaxVersion: version,
		ServerName: asciiName(serverName),
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if cert := c.TLS(); cert != nil {
				return cert, nil
			}
			return &tls.Certificate{}, nil
		},
	}
}

// serverConfig is how the harness answers a product.
func serverConfig(c *Credential, version uint16, want tls.ClientAuthType) *tls.Config {
	return &tls.Config{
		MinVersion: version, MaxVersion: version, ClientAuth: want, SessionTicketsDisabled: true,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.TLS(), nil },
	}
}

// asciiName returns name where it can stand in an SNI.
func asciiName(name string) string {
	for _, r := range name {
		if r > 127 {
			return ""
		}
	}
	return strings.TrimSuffix(name, ".")
}

// refusal reads what a failed handshake or a failed read says about the other side. It returns false where the
// error is none of the other side's making.
func refusal(err error, tap *alertTap) (Observation, bool) {
	o := Observation{Outcome: Rejected, Layer: "tls"}
	if alert, ok := tap.clear(); ok {
		o.Alert, o.Detail = alert, fmt.Sprintf("alert %d", alert)
		return o, true
	}
	var op *net.OpError
	switch {
	case errors.As(err, &op) && op.Op == "remote error":
		if v := reflect.ValueOf(op.Err); v.Kind() == reflect.Uint8 {
			o.Alert = uint8(v.Uint())
			o.Detail = fmt.Sprintf("alert %d", o.Alert)
			return o, true
		}
	case errors.As(err, &op) && op.Op == "local error", strings.Contains(err.Error(), "signature algorithms"),
		strings.Contains(err.Error(), "no cipher suite supported by both"):
		// Go has found nothing in the product's hello that goes with the credential's key.
		o.Detail = "the product offers no algorithm for this key"
		return o, strings.Contains(err.Error(), "signature algorithms") || strings.Contains(err.Error(), "no cipher suite")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(err.Error(), "connection reset"),
		strings.Contains(err.Error(), "broken pipe"):
		o.Detail = "closed without an alert"
		return o, true
	}
	return o, false
}

// present connects to addr, shows c, sends say and waits for an answer that contains expect. The answer is the proof
// that the product has judged: in TLS 1.3 the client's handshake ends before that.
func present(ctx context.Context, dial dialFunc, addr string, c *Credential, version uint16, say, expect string) (Observation, error) {
	raw, err := dialRetry(ctx, dial, addr)
	if err != nil {
		return Observation{}, err
	}
	defer func() { _ = raw.Close() }()
	if err := raw.SetDeadline(time.Now().Add(patience)); err != nil {
		return Observation{}, err
	}
	tap := &alertTap{Conn: raw}
	conn := tls.Client(tap, clientConfig(c, version, "product.example"))
	if err := conn.HandshakeContext(ctx); err != nil {
		return refusedOr(err, tap)
	}
	return converse(conn, tap, say, expect)
}

// refusedOr takes err for the other side's refusal where it is one.
func refusedOr(err error, tap *alertTap) (Observation, error) {
	if o, ok := refusal(err, tap); ok {
		return o, nil
	}
	return Observation{}, err
}

// converse sends say and reads until the answer contains expect.
func converse(conn net.Conn, tap *alertTap, say, expect string) (Observation, error) {
	// A product that has refused closes without reading what was written, and the write fails; what it said
	// before that can still be read.
	_, _ = io.WriteString(conn, say)
	var got []byte
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		got = append(got, buf[:n]...)
		if strings.Contains(string(got), expect) {
			return Observation{Outcome: Trusted, Layer: "tls"}, nil
		}
		if err != nil {
			return refusedOr(err, tap)
		}
	}
}

// dialRetry connects to a product that may be between two connections.
func dialRetry(ctx context.Context, dial dialFunc, addr string) (net.Conn, error) {
	deadline := time.Now().Add(6 * patience) // a product that starts on a busy machine
	for {
		conn, err := dial(ctx, "tcp", addr)
		if err == nil || time.Now().After(deadline) || ctx.Err() != nil {
			return conn, err
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}
