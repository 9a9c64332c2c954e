package xmpp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/capture"
)

// A Server accepts streams for the domains of its Config.
type Server struct {
	cfg    Config
	ln     net.Listener
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// Listen starts an acceptor on the host's address. It ends with ctx or with Close. An error is a fault of the Config
// or of the machine (*peers.EnvError), never of a partner.
func Listen(ctx context.Context, cfg Config, port uint16) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	ln, err := cfg.Host.Net.Listen(ctx, cfg.Host.Place(), port)
	if err != nil {
		return nil, fmt.Errorf("XMPP on %s: %w", cfg.Host.Actor, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &Server{cfg: cfg, ln: ln, cancel: cancel}
	s.wg.Go(func() {
		peers.Accept(ctx, ln, func(raw net.Conn) { s.serve(ctx, raw) }, cfg.Host.Excess())
	})
	return s, nil
}

// Addr returns where the server listens.
func (s *Server) Addr() net.Addr { return s.ln.Addr() }

// Close stops listening, ends every stream and waits until each has left its evidence.
func (s *Server) Close() error {
	s.cancel()
	err := s.ln.Close()
	s.wg.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) { // accept closes it too, when ctx ends
		return fmt.Errorf("XMPP on %s: %w", s.cfg.Host.Actor, err)
	}
	return nil
}

// serve sees one connection through. Its record is finished whatever happens.
func (s *Server) serve(ctx context.Context, raw net.Conn) {
	rec := s.cfg.Host.Journal.Open(s.cfg.Host.Actor, verdict.ConnName(raw.RemoteAddr(), raw.LocalAddr()))
	defer rec.Finish()
	defer func() { _ = raw.Close() }()
	defer func() {
		if p := recover(); p != nil {
			at, _, _ := strings.Cut(string(debug.Stack()), "\n")
			rec.Addf(verdict.KindHarness, "the XMPP acceptor broke: %v (%s)", p, at)
		}
	}()
	rec.Addf(verdict.KindConnect, "accepts a connection")
	accept(capture.Of(ctx, raw), &s.cfg, raw, rec)
}
