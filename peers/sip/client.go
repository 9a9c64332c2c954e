package sip

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/capture"
	"github.com/edgelab/edgelab/peers/dns"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/peers/wire"
)

// ErrRefused is wrapped by errors that say that one side refused the other above TLS.
var ErrRefused = errors.New("refused")

// A Session is a connection that an initiator has opened and trusts.
type Session struct {
	cfg    Config
	leg    Leg
	router router
	conn   *conn
	ua     *sipgo.UserAgent
	client *sipgo.Client
	target string
}

// Call plays the initiator's part of a leg: it finds the partner's server, connects with TLS, sends OPTIONS and MESSAGE
// and takes the answers. What happened is in leg.Record; the error says in short why there was no exchange, nil if
// there was. A fault of the lab's own is recorded as such.
func Call(ctx context.Context, cfg Config, leg Leg) error {
	s, err := Dial(ctx, cfg, leg)
	if err != nil {
		return err
	}
	defer s.Close("the leg is over")
	if err := s.Ping(ctx); err != nil {
		return err
	}
	s.Exchanged("OPTIONS and MESSAGE were answered by " + s.target)
	return nil
}

// Dial does the first half of Call: everything up to a connection whose acceptor the initiator trusts. The caller must
// Close the session.
func Dial(ctx context.Context, cfg Config, leg Leg) (*Session, error) {
	s := &Session{cfg: cfg, leg: leg}
	b, err := cfg.Host.Product.Behaviour(policy.Initiator, cfg.Host.Settings)
	if err != nil {
		return nil, s.harness(err)
	}
	s.router = newRouter(cfg, b)
	rt, err := s.route(ctx)
	if err != nil {
		return nil, err
	}
	s.target = rt.host
	raw, err := s.connect(ctx, rt)
	if err != nil {
		return nil, err
	}
	if err := s.secure(ctx, raw, b, rt); err != nil {
		return nil, err
	}
	return s, nil
}

// route finds the server to connect to.
func (s *Session) route(ctx context.Context) (route, error) {
	if s.leg.Server != "" {
		rt := route{host: s.leg.Server, port: s.leg.Port, name: s.leg.Server}
		if rt.port == 0 {
			rt.port = FederationPort
		}
		return rt, nil
	}
	rt, err := s.router.find(ctx, s.leg.Record, s.leg.To)
	if err != nil {
		return rt, s.harness(err)
	}
	failed := rt.failed()
	if failed == nil {
		return rt, nil
	}
	j := rt.decide(verdict.Judgement{Product: s.cfg.Host.Product.ID(), Role: string(policy.Initiator)})
	s.leg.Record.Add(verdict.Event{Kind: verdict.KindJudged, Judgement: &j, Code: j.Code, Text: conclusion(j)})
	e := verdict.Event{Kind: verdict.KindRefused, Code: failed.Code, Text: "doesn't connect: " + failed.Detail}
	if s.router.edge {
		var d diagnostic
		switch failed.Code {
		case verdict.SRVMissing:
			d = noSRV
		case verdict.SRVMismatch:
			d = srvElsewhere
		default:
			d = notRouted
		}
		e.Status = sip.StatusGatewayTimeout
		attrs := []string{"domain", s.leg.To}
		if rt.host != "" {
			attrs = append(attrs, "fqdn1", fmt.Sprintf("%s:%d", rt.host, rt.port))
		}
		e.Text += "; its own side is told 504, ms-diagnostics: " + d.header(s.cfg.Host.FQDN, attrs...)
	}
	s.leg.Record.Add(e)
	return rt, fmt.Errorf("%s: %s: %w", s.leg.To, failed.Detail, ErrRefused)
}

// connect looks up the server's address and opens a TCP connection to it.
func (s *Session) connect(ctx context.Context, rt route) (net.Conn, error) {
	h, rec := s.cfg.Host, s.leg.Record
	addrs, err := h.DNS.Host(ctx, rec, rt.host)
	if errors.Is(err, dns.ErrNotFound) {
		rec.Addf(verdict.KindConnectFailed, "%s has no address", rt.host)
		return nil, err
	}
	if err != nil {
		return nil, s.harness(err)
	}
	to := netip.AddrPortFrom(addrs[0], rt.port)
	ctx, cancel := context.WithTimeout(ctx, s.cfg.timeouts().Connect)
	defer cancel()
	raw, err := h.Net.Dial(ctx, h.Place(), to)
	switch {
	case err == nil:
		capture.Speaks(raw, capture.SIP)
		rec.SetConn(verdict.ConnName(raw.LocalAddr(), raw.RemoteAddr()))
		rec.Addf(verdict.KindConnect, "connects to %s at %s", rt.host, to)
		return raw, nil
	case errors.Is(err, syscall.ECONNREFUSED):
		rec.Addf(verdict.KindConnectFailed, "nothing listens on %s port %d", rt.host, rt.port)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		rec.Addf(verdict.KindTimeout, "connecting to %s port %d took too long", rt.host, rt.port)
	default:
		return nil, s.harness(err)
	}
	return nil, fmt.Errorf("connecting to %s port %d: %w", rt.host, rt.port, err)
}

// secure does TLS over raw and, if the acceptor is trusted, starts the SIP connection.
func (s *Session) secure(ctx context.Context, raw net.Conn, b policy.Behaviour, rt route) error {
	h, rec := s.cfg.Host, s.leg.Record
	withhold := ""
	switch {
	case h.Withhold:
		withhold = "it is told not to"
	case b.NeedsClientEKU && h.AsClient() != nil && !clientEKU(h.AsClient().Leaf):
		withhold = "its certificate has EKUs and the client EKU isn't among them"
	}
	tc, err := wire.Client(ctx, raw, wire.Config{
		Certificate: h.AsClient(),
		Withhold:    withhold,
		ServerName:  rt.host,
		Judge: func(p wire.Presented) verdict.Judgement {
			q := question(h, policy.Initiator, rt.name)
			q.Chain, q.TLS = p.Chain, p.Version
			return h.Product.Judge(q)
		},
		Record:     rec,
		MinVersion: b.MinTLS, MaxVersion: b.MaxTLS,
		Timeout: s.cfg.timeouts().Handshake,
		KeyLog:  h.KeyLog,
	})
	if err != nil {
		s.diagnose(err)
		return err
	}
	s.conn = newConn(tc, rec, s.cfg.timeouts().Exchange, func(req *sip.Request, tx *sip.ServerTx) {
		_ = tx.Respond(sip.NewResponseFromRequest(req, sip.StatusMethodNotAllowed, "Method Not Allowed", nil))
	})
	go s.conn.read()
	j := tc.Judgement()
	if j != nil {
		jj := rt.decide(*j)
		j = &jj
		rec.Add(verdict.Event{Kind: verdict.KindJudged, Judgement: j, Code: j.Code, Text: conclusion(*j)})
		if j.Outcome == verdict.OutcomeRejected {
			rec.Add(verdict.Event{Kind: verdict.KindRefused, Code: j.Code, Text: "sends no request: " + conclusion(*j)})
			s.diagnose(&wire.RefusedError{Judgement: *j})
			s.conn.close("the certificate isn't accepted")
			return fmt.Errorf("%s: %s: %w", rt.host, j.Code, ErrRefused)
		}
	}
	if j == nil || j.Outcome == verdict.OutcomeTrusted {
		s.authenticated(rt)
	}
	if s.ua, err = sipgo.NewUA(sipgo.WithUserAgent(user), sipgo.WithUserAgentHostname(s.leg.From)); err == nil {
		s.client, err = sipgo.NewClient(s.ua, sipgo.WithClientHostname(s.sentBy()), sipgo.WithClientLogger(quiet))
	}
	if err != nil {
		s.conn.close("the lab failed")
		return s.harness(err)
	}
	s.client.TxRequester = s.conn
	return nil
}

// sentBy is what goes into Via (RFC 3261 §18.1.1).
func (s *Session) sentBy() string {
	if s.cfg.Host.FQDN != "" {
		return s.cfg.Host.FQDN
	}
	return s.cfg.Host.Net.Address(s.cfg.Host.Place()).String()
}

func (s *Session) authenticated(rt route) {
	e := verdict.Event{Kind: verdict.KindAuthenticated, Encrypted: true, Method: verdict.MethodServerTLS,
		Text: rt.host + " by its certificate; this side has shown none"}
	if slices.ContainsFunc(s.leg.Record.Events(), func(e verdict.Event) bool { return e.Kind == verdict.KindCertSent }) {
		e.Method, e.Text = verdict.MethodCertificate, rt.host+" by certificate"
	}
	s.leg.Record.Add(e)
}

// diagnose notes what an Access Edge tells its own side when TLS with a partner fails.
func (s *Session) diagnose(err error) {
	if !s.router.edge || s.leg.Server != "" {
		return
	}
	d, attrs := tlsIncomplete, []string{"fqdn", s.target}
	var refused *wire.RefusedError
	if errors.As(err, &refused) {
		d, attrs = untrusted, []string{"tls-target", s.target}
		if refused.Judgement.Code == verdict.NameMismatch {
			attrs = append(attrs, "ErrorType", "The peer certificate does not contain a matching FQDN", "HRESULT", "0x80090322(SEC_E_WRONG_PRINCIPAL)")
		}
	}
	s.leg.Record.Addf(verdict.KindNote, "its own side is told 504, ms-diagnostics: %s", d.header(s.cfg.Host.FQDN, attrs...))
}

// Ping sends OPTIONS and MESSAGE and wants 200 for both.
func (s *Session) Ping(ctx context.Context) error {
	if _, err := s.Do(ctx, s.Request(sip.OPTIONS)); err != nil {
		return err
	}
	msg := s.Request(sip.MESSAGE)
	msg.AppendHeader(sip.NewHeader("Content-Type", "text/plain"))
	msg.SetBody([]byte("hello"))
	_, err := s.Do(ctx, msg)
	return err
}

// Request returns a request from the leg's sender to its recipient, for Do.
func (s *Session) Request(method sip.RequestMethod) *sip.Request {
	return newRequest(method, s.leg.From, s.leg.To)
}

// Do sends req and waits for its final response. Any but 200 is recorded as a refusal and an error that wraps
// ErrRefused; the response is returned with it.
func (s *Session) Do(ctx context.Context, req *sip.Request) (*sip.Response, error) {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, s.cfg.timeouts().Exchange)
	defer cancel()
	// What sipgo makes of a failure says less than the connection's reader.
	res, _ := s.client.Do(ctx, req)
	if res != nil {
		if res.StatusCode == sip.StatusOK {
			return res, nil
		}
		s.leg.Record.Add(verdict.Event{Kind: verdict.KindRefused, Status: res.StatusCode, Text: "is answered " + refusal(res)})
		return res, fmt.Errorf("%s: %d %s: %w", req.Method, res.StatusCode, printable(res.Reason), ErrRefused)
	}
	// There is no response. Either the connection is over, and its reader knows why or is about to, or time is up.
	var err error
	select {
	case <-s.conn.done:
		err = s.conn.cause()
		s.diagnose(err)
	case <-ctx.Done():
		if outer.Err() != nil {
			return nil, s.harness(fmt.Errorf("%s: %w", req.Method, outer.Err()))
		}
		s.leg.Record.Addf(verdict.KindTimeout, "no answer to %s in time", req.Method)
		err = context.DeadlineExceeded
	}
	return nil, fmt.Errorf("%s to %s: %w", req.Method, s.target, err)
}

// Exchanged records that messages went there and their answers came back.
func (s *Session) Exchanged(what string) {
	s.leg.Record.Addf(verdict.KindExchanged, "%s", what)
}

// Close ends the session in order.
func (s *Session) Close(why string) {
	s.conn.close(why)
	_ = s.ua.Close()
}

// harness records a fault of the lab's own.
func (s *Session) harness(err error) error {
	s.leg.Record.Addf(verdict.KindHarness, "%v", err)
	return err
}

// clientEKU reports whether a certificate may be shown by a client: RFC 5280 §4.2.1.12 lets one without the extension
// do anything.
func clientEKU(leaf *x509.Certificate) bool {
	if leaf == nil || len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) == 0 {
		return true
	}
	return slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageClientAuth) || slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny)
}
