package web

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// DefaultAddress is where the site is served unless somebody says otherwise.
const DefaultAddress = "127.0.0.1:8420"

// Times that a visitor's connection may take. A page may take as long as its run.
const (
	headerTime   = 5 * time.Second
	bodyTime     = 20 * time.Second
	answerTime   = runTime + 20*time.Second
	idleTime     = 2 * time.Minute
	shutdownTime = 3 * time.Second
)

// An AddressError is an address that the site isn't served at.
type AddressError struct{ Address, Reason string }

func (e *AddressError) Error() string { return e.Address + ": " + e.Reason }

// Listen listens on an address of this machine's loopback, and on no other: the error is then an *AddressError. Port 0 is
// whichever is free.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, &AddressError{address, "it isn't HOST:PORT"}
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	a, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return nil, &AddressError{address, "the host must be an address of the loopback, or localhost"}
	case !a.IsLoopback():
		return nil, &AddressError{address, "the site runs what its visitors write, so it is served on the loopback only"}
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, port))
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "listen" && op.Addr == nil {
		return nil, &AddressError{address, op.Err.Error()}
	}
	return ln, err
}

// Serve serves the site until ctx ends, and closes ln. Runs that are under way when it ends are cancelled; answers that are
// being written have a moment. The error is nil if it was ctx that ended it.
func (s *Site) Serve(ctx context.Context, ln net.Listener) error {
	runs, cancel := context.WithCancel(ctx)
	defer cancel()
	srv := &http.Server{
		Handler:           s.Handler(),
		BaseContext:       func(net.Listener) context.Context { return runs },
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       bodyTime,
		WriteTimeout:      answerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    2 * maxPacked, // an address holds a scenario
		ErrorLog:          log.New(s.opts.Log, "", 0),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ln) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer done()
	if err := srv.Shutdown(stop); err != nil {
		_ = srv.Close() // they had their moment
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	}
	return nil
}
