package edge

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/dns"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/peers/wire"
)

// hello is what a client says in place of PSOM, and what it hears back.
const hello = "edgelab: this stands for PSOM\n"

// A webConf is the Web Conferencing Edge: TLS with the external certificate, and an echo of one line.
type webConf struct {
	host *peers.Host
	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup
}

func (e *Edge) webConf(ctx context.Context) (io.Closer, error) {
	h := *e.cfg.External
	h.Actor, h.Interface = topology.ActorWebConf, Place(WebConfInterface, e.cfg.Node)
	ln, err := h.Net.Listen(ctx, h.Place(), WebConfPort)
	if err != nil {
		return nil, err
	}
	w := &webConf{host: &h}
	w.ctx, w.stop = context.WithCancel(ctx)
	w.wg.Go(func() { peers.Accept(w.ctx, ln, w.serve, h.Excess()) })
	return w, nil
}

// Close stops the listener and waits for its connections.
func (w *webConf) Close() error {
	w.stop()
	w.wg.Wait()
	return nil
}

func (w *webConf) serve(raw net.Conn) {
	rec := w.host.Journal.Open(w.host.Actor, verdict.ConnName(raw.RemoteAddr(), raw.LocalAddr()))
	defer rec.Finish()
	rec.Addf(verdict.KindConnect, "the Web Conferencing Edge accepts a connection from %s", raw.RemoteAddr())
	unhook := context.AfterFunc(w.ctx, func() { _ = raw.Close() })
	defer unhook()
	c, err := wire.Server(w.ctx, raw, wire.Config{
		Certificate: w.host.Certificate, Record: rec, Timeout: handshakeTimeout(w.host), KeyLog: w.host.KeyLog,
	})
	if err != nil {
		return // wire has recorded it
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(exchangeTimeout(w.host)))
	line, err := readLine(c)
	if err == nil {
		rec.Add(verdict.Event{Kind: verdict.KindAuthenticated, Method: verdict.MethodServerTLS, Encrypted: true,
			Text: "only this side shows a certificate; conference keys would admit the user, which the lab leaves out"})
		if _, err = io.WriteString(c, line); err == nil {
			rec.Addf(verdict.KindExchanged, "echoes a line that stands for PSOM")
			_, err = readLine(c)
		}
	}
	ended(rec, err)
}

// ended records how reading ended.
func ended(rec *verdict.Record, err error) {
	switch {
	case errors.Is(err, io.EOF):
		rec.Addf(verdict.KindClosed, "the other side closed the connection")
	case errors.Is(err, os.ErrDeadlineExceeded):
		rec.Addf(verdict.KindTimeout, "nothing came in time")
	}
}

// readLine reads one line of at most len(hello) bytes.
func readLine(r io.Reader) (string, error) {
	return bufio.NewReader(io.LimitReader(r, int64(len(hello)))).ReadString('\n')
}

// Join plays the leg from a remote user's client to the Web Conferencing Edge: TLS on which only the Edge shows a
// certificate, whose names must hold the Web Conferencing FQDN, and a line and its echo in place of PSOM.
func Join(ctx context.Context, user *peers.Host, t topology.Topology, rec *verdict.Record) error {
	fqdn := t.Edge.WebConf
	raw, err := dial(ctx, user, fqdn, rec)
	if err != nil {
		return err
	}
	c, err := wire.Client(ctx, raw, wire.Config{
		ServerName: fqdn, Record: rec, Timeout: handshakeTimeout(user), KeyLog: user.KeyLog,
		Judge: func(p wire.Presented) verdict.Judgement {
			return user.Product.Judge(policy.Question{
				Role: policy.Initiator, Chain: p.Chain, Roots: user.Roots, Name: fqdn, At: user.Now(), TLS: p.Version,
				Settings: user.Settings, CRL: user.CRL, Signatures: user.Signatures,
			})
		},
	})
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if j := c.Judgement(); j != nil {
		rec.Add(verdict.Event{Kind: verdict.KindJudged, Judgement: j, Code: j.Code, Text: fmt.Sprintf("%s: %s", j.Product, j.Outcome)})
		switch j.Outcome {
		case verdict.OutcomeRejected:
			rec.Add(verdict.Event{Kind: verdict.KindRefused, Code: j.Code, Text: "says nothing and closes"})
			rec.Addf(verdict.KindClosed, "closes the connection: the certificate isn't accepted")
			return fmt.Errorf("%s: %s", fqdn, j.Code)
		case verdict.OutcomeTrusted:
			rec.Add(verdict.Event{Kind: verdict.KindAuthenticated, Method: verdict.MethodServerTLS, Encrypted: true, Text: fqdn + " by its certificate"})
		}
	}
	_ = c.SetDeadline(time.Now().Add(exchangeTimeout(user)))
	if _, err = io.WriteString(c, hello); err == nil {
		var line string
		if line, err = readLine(c); err == nil && line != hello {
			err = fmt.Errorf("the Web Conferencing Edge echoes %q", line)
		}
	}
	if err != nil {
		ended(rec, err)
		return fmt.Errorf("%s: %w", fqdn, err)
	}
	rec.Addf(verdict.KindExchanged, "a line that stands for PSOM came back from %s", fqdn)
	rec.Addf(verdict.KindClosed, "closes the connection: the leg is over")
	return nil
}

// dial connects a client to the Web Conferencing Edge.
func dial(ctx context.Context, user *peers.Host, fqdn string, rec *verdict.Record) (net.Conn, error) {
	addrs, err := user.DNS.Host(ctx, rec, fqdn)
	switch {
	case errors.Is(err, dns.ErrNotFound):
		rec.Addf(verdict.KindConnectFailed, "%s has no address", fqdn)
		return nil, err
	case err != nil:
		rec.Addf(verdict.KindHarness, "%v", err)
		return nil, err
	}
	to := netip.AddrPortFrom(addrs[0], WebConfPort)
	raw, err := user.Net.Dial(ctx, user.Place(), to)
	if err != nil {
		kind := verdict.KindHarness
		if errors.Is(err, syscall.ECONNREFUSED) {
			kind = verdict.KindConnectFailed
		}
		rec.Addf(kind, "%s at %s: %v", fqdn, to, err)
		return nil, err
	}
	rec.SetConn(verdict.ConnName(raw.LocalAddr(), raw.RemoteAddr()))
	rec.Addf(verdict.KindConnect, "connects to %s at %s", fqdn, to)
	return raw, nil
}

func handshakeTimeout(h *peers.Host) time.Duration {
	if h.Timeouts.Handshake > 0 {
		return h.Timeouts.Handshake
	}
	return peers.DefaultTimeouts.Handshake
}
