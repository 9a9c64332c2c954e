package conformance

import (
	"context"
	"net"
	"strings"

	"github.com/miekg/dns"
)

// Where a sandbox finds its names and, behind them, the harness. The resolver isn't on 127.0.0.0/8: libunbound, which
// Prosody uses, asks nobody there.
const (
	resolverAddr = "192.0.2.53"
	peerAddr     = "127.0.0.1"
	xmppPeerPort = 5270
	sipPeerPort  = 5071
)

// serveNames answers every name below "example" in the sandbox until ctx ends, and makes the sandbox ask there. Each
// SRV record points to a host in the variant's own domain.
func serveNames(ctx context.Context, s *sandbox) (stop func(), err error) {
	if err := s.WriteFile("/etc/resolv.conf", []byte("nameserver "+resolverAddr+"\noptions timeout:2 attempts:1\n"), 0o644); err != nil {
		return nil, err
	}
	hosts := "127.0.0.1 localhost product.example\n"
	if err := s.WriteFile("/etc/hosts", []byte(hosts), 0o644); err != nil {
		return nil, err
	}
	conn, err := s.ListenPacket(ctx, net.JoinHostPort(resolverAddr, "53"))
	if err != nil {
		return nil, err
	}
	server := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		_ = w.WriteMsg(answerName(q))
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.ActivateAndServe()
	}()
	return func() {
		_ = conn.Close()
		<-done
	}, nil
}

func answerName(q *dns.Msg) *dns.Msg {
	m := new(dns.Msg)
	m.SetReply(q)
	m.Authoritative, m.RecursionAvailable = true, true
	if len(q.Question) != 1 {
		return m
	}
	name := strings.ToLower(q.Question[0].Name)
	header := func(kind uint16) dns.RR_Header {
		return dns.RR_Header{Name: q.Question[0].Name, Rrtype: kind, Class: dns.ClassINET, Ttl: 1}
	}
	labels := dns.SplitDomainName(name)
	if len(labels) < 2 || labels[len(labels)-1] != "example" {
		m.Rcode = dns.RcodeNameError
		return m
	}
	target := "xmpp-host." + strings.Join(labels[len(labels)-2:], ".") + "."
	service := strings.HasPrefix(name, "_")
	switch {
	case q.Question[0].Qtype == dns.TypeSRV && strings.HasPrefix(name, "_xmpp-server._tcp."):
		m.Answer = append(m.Answer, &dns.SRV{Hdr: header(dns.TypeSRV), Port: xmppPeerPort, Target: target})
	case q.Question[0].Qtype == dns.TypeSRV && strings.HasPrefix(name, "_sips._tcp."):
		m.Answer = append(m.Answer, &dns.SRV{Hdr: header(dns.TypeSRV), Port: sipPeerPort, Target: target})
	case q.Question[0].Qtype == dns.TypeA && !service:
		m.Answer = append(m.Answer, &dns.A{Hdr: header(dns.TypeA), A: net.ParseIP(peerAddr)})
	case service:
		m.Rcode = dns.RcodeNameError
	}
	if len(m.Answer) == 0 { // RFC 2308 §3: without it a resolver takes the answer for a lame one and asks again
		m.Ns = append(m.Ns, &dns.SOA{Hdr: dns.RR_Header{Name: "example.", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 1},
			Ns: "ns.example.", Mbox: "hostmaster.example.", Serial: 1, Refresh: 60, Retry: 60, Expire: 60, Minttl: 1})
	}
	return m
}
