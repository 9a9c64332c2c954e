package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	mdns "github.com/miekg/dns"
)

// ttl of every answer, in seconds: a lab is over before anything could be cached for long.
const ttl = 1

// A Server answers for one Zone over UDP and TCP.
type Server struct {
	udp, tcp *mdns.Server
	done     chan error
	addr     netip.AddrPort
}

// Serve starts a server for zone on the two listeners, which must share one port and which it takes over.
func Serve(zone *Zone, udp net.PacketConn, tcp net.Listener) (*Server, error) {
	addr, err := netip.ParseAddrPort(udp.LocalAddr().String())
	if err != nil {
		return nil, fmt.Errorf("lab DNS: address %q: %w", udp.LocalAddr(), err)
	}
	h := mdns.HandlerFunc(func(w mdns.ResponseWriter, q *mdns.Msg) {
		r := answer(zone, q)
		if w.LocalAddr().Network() == "udp" {
			r.Truncate(mdns.MinMsgSize) // RFC 1035 §4.2.1: the asker comes back over TCP
		}
		// A reply that can't be written is the asker's time-out; there is nobody else to tell.
		_ = w.WriteMsg(r)
	})
	s := &Server{done: make(chan error, 2), addr: addr}
	started := make(chan struct{}, 2)
	up := func() { started <- struct{}{} }
	s.udp = &mdns.Server{PacketConn: udp, Handler: h, NotifyStartedFunc: up}
	s.tcp = &mdns.Server{Listener: tcp, Handler: h, NotifyStartedFunc: up}
	for _, srv := range []*mdns.Server{s.udp, s.tcp} {
		go func() { s.done <- srv.ActivateAndServe() }()
	}
	for range 2 {
		select {
		case <-started:
		case err := <-s.done:
			s.done <- nil
			_ = s.Close()
			return nil, fmt.Errorf("lab DNS: %w", err)
		}
	}
	return s, nil
}

// Addr returns where the server answers.
func (s *Server) Addr() netip.AddrPort { return s.addr }

// Close stops the server and waits for it.
func (s *Server) Close() error {
	_ = s.udp.ShutdownContext(context.Background()) // fails only for a server that isn't running
	_ = s.tcp.ShutdownContext(context.Background())
	return errors.Join(<-s.done, <-s.done)
}

func answer(zone *Zone, q *mdns.Msg) *mdns.Msg {
	r := new(mdns.Msg)
	r.SetReply(q)
	r.Authoritative = true
	if len(q.Question) != 1 {
		r.Rcode = mdns.RcodeFormatError
		return r
	}
	name, typ := q.Question[0].Name, q.Question[0].Qtype
	head := func(t uint16) mdns.RR_Header {
		return mdns.RR_Header{Name: name, Rrtype: t, Class: mdns.ClassINET, Ttl: ttl}
	}
	switch typ {
	case mdns.TypeA:
		for _, a := range zone.A(name) {
			r.Answer = append(r.Answer, &mdns.A{Hdr: head(typ), A: a.AsSlice()})
		}
	case mdns.TypeSRV:
		for _, t := range zone.SRV(name) {
			r.Answer = append(r.Answer, &mdns.SRV{Hdr: head(typ), Port: t.Port, Target: mdns.Fqdn(t.Host)})
		}
	}
	if len(r.Answer) == 0 && !zone.exists(name) {
		r.Rcode = mdns.RcodeNameError
	}
	return r
}
