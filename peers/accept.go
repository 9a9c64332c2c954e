package peers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/edgelab/edgelab/lab/verdict"
)

// MaxPerSource is how many connections from one address a listener serves at a time. Every host of a lab has its own
// address, so a partner that opens more harms nobody but itself.
const MaxPerSource = 512

// acceptPause keeps a machine without file descriptors from spinning.
const acceptPause = 10 * time.Millisecond

// Accept runs serve for each connection that ln accepts, in a goroutine of its own, until ln is closed or ctx ends, and
// then waits for them. serve owns its connection. Running out of file descriptors doesn't end it: the next connection
// may find one. A connection beyond MaxPerSource goes to excess, which must not block; it is closed afterwards.
func Accept(ctx context.Context, ln net.Listener, serve, excess func(net.Conn)) {
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	a := acceptor{open: map[netip.Addr]int{}}
	defer a.wg.Wait()
	for {
		raw, err := ln.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			select {
			case <-ctx.Done():
				return
			case <-time.After(acceptPause):
			}
			continue
		}
		from := source(raw)
		if !a.enter(from) {
			excess(raw)
			_ = raw.Close()
			continue
		}
		a.wg.Go(func() {
			defer a.leave(from)
			serve(raw)
		})
	}
}

// Excess returns what an acceptor makes of a connection too many: evidence that the lab's bound was met, not a partner's
// refusal.
func (h *Host) Excess() func(net.Conn) {
	return func(raw net.Conn) {
		rec := h.Journal.Open(h.Actor, verdict.ConnName(raw.RemoteAddr(), raw.LocalAddr()))
		rec.Add(verdict.Event{Kind: verdict.KindHarness, Text: fmt.Sprintf("more than %d connections from %s at a time", MaxPerSource, source(raw))})
		rec.Finish()
	}
}

type acceptor struct {
	wg   sync.WaitGroup
	mu   sync.Mutex
	open map[netip.Addr]int
}

func (a *acceptor) enter(from netip.Addr) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open[from] >= MaxPerSource {
		return false
	}
	a.open[from]++
	return true
}

func (a *acceptor) leave(from netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open[from]--; a.open[from] == 0 {
		delete(a.open, from)
	}
}

// source returns the address that a connection is from.
func source(c net.Conn) netip.Addr {
	at, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr()
}
