package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/capture"
)

// Presented is what one side showed the other in a handshake.
type Presented struct {
	Chain      []*x509.Certificate // leaf first; empty: none
	Version    uint16
	ServerName string // SNI, for an acceptor
}

// Config says how one side does TLS.
type Config struct {
	// Certificate is what this side shows; nil: nothing. An acceptor needs one.
	Certificate *tls.Certificate
	// Select, if set, picks an acceptor's certificate by SNI in place of Certificate.
	Select func(serverName string) *tls.Certificate
	// Withhold makes an initiator show none though it has one; the reason is recorded.
	Withhold string
	// ServerName is the SNI that an initiator sends.
	ServerName string
	// Ask makes an acceptor ask the initiator for a certificate.
	Ask bool
	// Judge judges what the other side showed. A judgement that is rejected at verdict.TLS ends the handshake
	// with its alert; any other lets it go on, and the caller finds it in Conn.Judgement. nil: nobody judges.
	Judge func(Presented) verdict.Judgement
	// Record takes the evidence; nil: none is kept.
	Record *verdict.Record

	MinVersion, MaxVersion uint16 // zero: TLS 1.2 and TLS 1.3
	Timeout                time.Duration
	KeyLog                 io.Writer
}

// A Conn is a TLS connection that remembers how it was judged and how it ended.
type Conn struct {
	*tls.Conn
	raw       net.Conn
	rec       *verdict.Record
	presented Presented
	judgement *verdict.Judgement

	mu    sync.Mutex
	alert *AlertError
	ended bool
}

// Presented returns what the other side showed.
func (c *Conn) Presented() Presented { return c.presented }

// Judgement returns what this side's judge said; nil when nobody judged.
func (c *Conn) Judgement() *verdict.Judgement { return c.judgement }

// Record returns where the connection's evidence goes.
func (c *Conn) Record() *verdict.Record { return c.rec }

// Client does the initiator's part of a handshake over raw, which it closes if that fails. Its success doesn't mean
// that the acceptor is content: in TLS 1.3 a refusal arrives with the first read (RFC 8446 §4.4.2.4). Errors are
// *RefusedError, *AlertError, or a description of a failed handshake.
func Client(ctx context.Context, raw net.Conn, cfg Config) (*Conn, error) {
	return handshake(ctx, raw, cfg, verdict.Initiator)
}

// Server does the acceptor's part.
func Server(ctx context.Context, raw net.Conn, cfg Config) (*Conn, error) {
	return handshake(ctx, raw, cfg, verdict.Acceptor)
}

func handshake(ctx context.Context, raw net.Conn, cfg Config, side verdict.Side) (*Conn, error) {
	under := &alertConn{Conn: raw, keyLog: keyLogs(cfg.KeyLog, capture.KeyLog(raw))}
	c := &Conn{raw: raw, rec: cfg.Record}
	tc := &tls.Config{
		MinVersion:             cfg.MinVersion,
		MaxVersion:             cfg.MaxVersion,
		ServerName:             cfg.ServerName,
		InsecureSkipVerify:     true, //nolint:gosec // the judge is Config.Judge, in VerifyConnection
		SessionTicketsDisabled: true, // a resumed session shows no certificates
		VerifyConnection: func(cs tls.ConnectionState) error {
			return c.verify(cs, cfg, under, side)
		},
	}
	if tc.MinVersion == 0 {
		tc.MinVersion = tls.VersionTLS12
	}
	if side == verdict.Initiator {
		tc.KeyLogWriter = secretLog{under, []string{"CLIENT_HANDSHAKE_TRAFFIC_SECRET"}}
		tc.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c.clientCertificate(cfg), nil }
		cfg.Record.Addf(verdict.KindHello, "ClientHello, SNI %s", orNone(cfg.ServerName))
		c.Conn = tls.Client(under, tc)
	} else {
		tc.KeyLogWriter = secretLog{under, []string{"SERVER_TRAFFIC_SECRET_0"}}
		tc.GetCertificate = func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return c.serverCertificate(cfg, h.ServerName) }
		if cfg.Ask {
			tc.ClientAuth = tls.RequestClientCert
		}
		c.Conn = tls.Server(under, tc)
	}
	if cfg.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, cfg.Timeout)
		defer cancel()
	}
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, c.failed(ctx, err, under, side)
	}
	cs := c.ConnectionState()
	cfg.Record.Addf(verdict.KindHandshake, "%s, %s", tls.VersionName(cs.Version), tls.CipherSuiteName(cs.CipherSuite))
	return c, nil
}

// keyLogs returns a writer to those that there are, nil if there are none.
func keyLogs(all ...io.Writer) io.Writer {
	all = slices.DeleteFunc(all, func(w io.Writer) bool { return w == nil })
	if len(all) == 0 {
		return nil
	}
	return io.MultiWriter(all...)
}

func (c *Conn) clientCertificate(cfg Config) *tls.Certificate {
	if cfg.Certificate == nil || cfg.Withhold != "" {
		why := cfg.Withhold
		if why == "" {
			why = "it has none"
		}
		c.rec.Addf(verdict.KindCertWithheld, "asked for a certificate and sends none: %s", why)
		return &tls.Certificate{}
	}
	c.sent(cfg.Certificate)
	return cfg.Certificate
}

func (c *Conn) serverCertificate(cfg Config, serverName string) (*tls.Certificate, error) {
	c.presented.ServerName = serverName
	c.rec.Addf(verdict.KindHello, "ClientHello seen, SNI %s", orNone(serverName))
	cert := cfg.Certificate
	if cfg.Select != nil {
		cert = cfg.Select(serverName)
	}
	if cert == nil {
		return nil, fmt.Errorf("no certificate for server name %q", serverName)
	}
	c.sent(cert)
	return cert, nil
}

func (c *Conn) sent(cert *tls.Certificate) {
	text := "sends a certificate"
	if cert.Leaf != nil {
		text = "sends " + Describe(cert.Leaf, len(cert.Certificate))
	}
	c.rec.Add(verdict.Event{Kind: verdict.KindCertSent, Text: text, Certs: Fingerprints(cert.Certificate)})
}

func (c *Conn) verify(cs tls.ConnectionState, cfg Config, under *alertConn, side verdict.Side) error {
	c.presented.Chain, c.presented.Version = cs.PeerCertificates, cs.Version
	switch {
	case len(cs.PeerCertificates) > 0:
		ders := make([][]byte, len(cs.PeerCertificates))
		for i, p := range cs.PeerCertificates {
			ders[i] = p.Raw
		}
		c.rec.Add(verdict.Event{Kind: verdict.KindCertSeen, Text: "is shown " + Describe(cs.PeerCertificates[0], len(cs.PeerCertificates)), Certs: Fingerprints(ders)})
	case side == verdict.Acceptor && cfg.Ask:
		c.rec.Addf(verdict.KindNoCertSeen, "asked for a certificate and is shown none")
	default:
		return nil // not asked for, nothing to judge
	}
	if cfg.Judge == nil {
		return nil
	}
	j := cfg.Judge(c.presented)
	c.judgement = &j
	if j.Outcome != verdict.OutcomeRejected || j.Layer != verdict.TLS {
		return nil
	}
	c.rec.Add(verdict.Event{Kind: verdict.KindJudged, Judgement: &j, Code: j.Code, Text: fmt.Sprintf("%s refuses in the handshake: %s", j.Product, j.Code)})
	if j.Alert != 0 { // noted before it goes out, so that nobody receives it earlier than it was sent
		c.rec.Add(verdict.Event{Kind: verdict.KindAlertSent, Alert: j.Alert, Text: "sends TLS alert " + AlertName(j.Alert)})
	}
	under.arm(j.Alert, cs.CipherSuite)
	return &RefusedError{j}
}

// failed records how a handshake failed, closes raw so that the other side can still read the alert, and returns
// the error in the package's own terms.
func (c *Conn) failed(ctx context.Context, err error, under *alertConn, side verdict.Side) error {
	raw := under.Conn
	var refused *RefusedError
	if errors.As(err, &refused) {
		linger(raw)
		return refused
	}
	defer func() { _ = raw.Close() }()
	a, ok := received(err)
	if !ok && under.seen.alert != 0 {
		a, ok = under.seen.alert, true
	}
	if ok {
		c.rec.Add(verdict.Event{Kind: verdict.KindAlertReceived, Alert: a, Text: "receives TLS alert " + AlertName(a)})
		return &AlertError{a}
	}
	switch {
	case timedOut(err) || errors.Is(ctx.Err(), context.DeadlineExceeded):
		c.rec.Addf(verdict.KindTimeout, "the TLS handshake didn't end in time")
	case ctx.Err() != nil:
		c.rec.Addf(verdict.KindNote, "the lab ended the connection during the TLS handshake")
	case lost(err):
		c.rec.Addf(verdict.KindConnectionLost, "the other side closed the connection during the TLS handshake")
	default:
		c.ends(err)
	}
	return fmt.Errorf("TLS handshake as %s: %w", side, err)
}

// ends records that this side's TLS ends the connection because of what the other side sent.
func (c *Conn) ends(err error) {
	if tooLong(err) {
		c.rec.Addf(verdict.KindHarness, "the lab's TLS takes RSA keys of up to 8192 bits, so the product wasn't asked: %v", err)
		return
	}
	c.rec.Add(verdict.Event{Kind: verdict.KindRefused, Code: verdict.TLSRefused, Text: fmt.Sprintf("ends TLS: %v", err)})
}

// tooLong reports whether crypto/tls refused a certificate for the length of its key. It says so in words only.
func tooLong(err error) bool { return strings.Contains(err.Error(), "containing RSA key larger than") }

// lingerTime bounds how long a refusing side waits for the other to take its alert and close.
const lingerTime = time.Second

// linger closes raw without losing what was written last. Closing while unread data waits makes the kernel reset the
// connection, and a reset can overtake the alert.
func linger(raw net.Conn) {
	if t, ok := raw.(interface{ CloseWrite() error }); ok && t.CloseWrite() == nil {
		_ = raw.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.Copy(io.Discard, io.LimitReader(raw, 1<<20))
	}
	_ = raw.Close()
}

// Read is tls.Conn.Read that keeps, and records once, an alert or a loss that libraries above would swallow.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	capture.Receives(c.raw, b[:n])
	if err != nil {
		c.note(err)
	}
	return n, err
}

// Write is tls.Conn.Write, noting the same.
func (c *Conn) Write(b []byte) (int, error) {
	capture.Sends(c.raw, b)
	n, err := c.Conn.Write(b)
	if err != nil {
		if _, ok := received(err); ok {
			c.note(err)
		}
	}
	return n, err
}

func (c *Conn) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	if a, ok := received(err); ok {
		c.ended = true
		c.alert = &AlertError{a}
		c.rec.Add(verdict.Event{Kind: verdict.KindAlertReceived, Alert: a, Text: "receives TLS alert " + AlertName(a)})
		return
	}
	switch {
	case errors.Is(err, io.EOF), timedOut(err):
	case lost(err):
		c.ended = true
		c.rec.Addf(verdict.KindConnectionLost, "the connection was reset")
	default:
		c.ended = true
		c.ends(err)
	}
}

// Refused returns the alert by which the other side ended the connection, nil if it didn't.
func (c *Conn) Refused() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.alert == nil {
		return nil
	}
	return c.alert
}

// Close ends the connection in order: close_notify, then both directions of TCP.
func (c *Conn) Close() error {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	return c.Conn.Close()
}

func timedOut(err error) bool {
	var ne net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &ne) && ne.Timeout()
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
