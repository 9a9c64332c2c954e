package sip

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/capture"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/peers/wire"
)

// A Server is a listening SIP end.
type Server struct {
	cfg       Config
	behaviour policy.Behaviour
	router    router

	ctx  context.Context // ends all connections
	stop context.CancelFunc
	wg   sync.WaitGroup
}

// Listen starts a SIP end on port of cfg.Host's address. It runs until Close, or until ctx ends. Errors are a
// *peers.EnvError, or settings that the host's product doesn't have.
func Listen(ctx context.Context, cfg Config, port uint16) (*Server, error) {
	b, err := cfg.Host.Product.Behaviour(policy.Acceptor, cfg.Host.Settings)
	if err != nil {
		return nil, fmt.Errorf("SIP listener of %s: %w", cfg.Host.Actor, err)
	}
	ln, err := cfg.Host.Net.Listen(ctx, cfg.Host.Place(), port)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, behaviour: b, router: newRouter(cfg, b)}
	s.ctx, s.stop = context.WithCancel(ctx)
	s.wg.Go(func() { peers.Accept(s.ctx, ln, s.serve, cfg.Host.Excess()) })
	return s, nil
}

// Close ends the listener and its connections and waits until their records are finished.
func (s *Server) Close() error {
	s.stop()
	s.wg.Wait()
	return nil
}

// serve deals with one connection until it is over.
func (s *Server) serve(raw net.Conn) {
	h := s.cfg.Host
	rec := h.Journal.Open(h.Actor, verdict.ConnName(raw.RemoteAddr(), raw.LocalAddr()))
	defer rec.Finish()
	rec.Addf(verdict.KindConnect, "accepts a connection from %s", raw.RemoteAddr())
	unhook := context.AfterFunc(s.ctx, func() { _ = raw.Close() })
	defer unhook()

	t := s.cfg.timeouts()
	a := &acceptance{server: s, rec: rec, ctx: capture.Of(s.ctx, raw)}
	tc, err := wire.Server(s.ctx, raw, wire.Config{
		Certificate: h.Certificate,
		Ask:         s.behaviour.Want != policy.WantNone && !s.cfg.Routing.Users,
		Judge:       a.handshake,
		Record:      rec,
		MinVersion:  s.behaviour.MinTLS, MaxVersion: s.behaviour.MaxTLS,
		Timeout: t.Handshake,
		KeyLog:  h.KeyLog,
	})
	if err != nil {
		return // wire has recorded it
	}
	a.conn = newConn(tc, rec, t.Exchange, a.request)
	a.conn.idle = t.Exchange
	a.conn.read()
	a.judged() // no request has come
	_ = tc.Close()
}
