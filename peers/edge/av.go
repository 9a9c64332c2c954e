package edge

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	upstream "github.com/emiago/sipgo/sip"
	"github.com/pion/logging"
	"github.com/pion/turn/v4"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/capture"
	"github.com/edgelab/edgelab/peers/sip"
)

// realm is the TURN realm of an A/V Edge ([MS-TURN] §2.2.2.10 has the attribute; the value is the lab's).
const realm = "rtcmedia"

// An avEdge is the A/V Edge with its authentication service.
type avEdge struct {
	mras  *sip.Server
	turn  *turn.Server
	conns *tracked
}

// av starts MRAS on the internal interface and TURN on the A/V Edge's own address.
func (e *Edge) av(ctx context.Context) (io.Closer, error) {
	h := *e.cfg.Internal
	h.Actor = topology.ActorMRAS
	tokens, err := newSigner(h.Certificate, h.Now)
	if err != nil {
		return nil, err
	}
	ln, err := h.Net.Listen(ctx, Place(AVInterface, e.cfg.Node), AVPort)
	if err != nil {
		return nil, err
	}
	a := &avEdge{conns: track(ln, exchangeTimeout(&h))}
	address := h.Net.Address(Place(AVInterface, e.cfg.Node))
	a.turn, err = turn.NewServer(turn.ServerConfig{
		Realm:         realm,
		LoggerFactory: quiet(),
		AuthHandler: func(username, realm string, _ net.Addr) ([]byte, bool) {
			password, ok := tokens.check(username)
			if !ok {
				return nil, false
			}
			return turn.GenerateAuthKey(username, realm, password), true
		},
		ListenerConfigs: []turn.ListenerConfig{{
			Listener: a.conns,
			RelayAddressGenerator: &turn.RelayAddressGeneratorStatic{
				RelayAddress: net.IP(address.AsSlice()), Address: boundHost(ln),
			},
			PermissionHandler: func(_ net.Addr, peer net.IP) bool { return peer.IsLoopback() },
		}},
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("A/V Edge: %w", err), ln.Close())
	}
	cfg := e.internal()
	cfg.Host = &h
	cfg.Methods = map[upstream.RequestMethod]sip.Handler{
		service: mras{signer: tokens, relays: e.relays()}.answer,
	}
	cfg.Completes = []upstream.RequestMethod{service}
	if a.mras, err = sip.Listen(ctx, cfg, MRASPort); err != nil {
		return nil, errors.Join(err, a.closeRelay())
	}
	return a, nil
}

// relays returns the A/V Edges that take the server's tokens: its own first, then those of the rest of its pool, which
// share the key.
func (e *Edge) relays() []netip.AddrPort {
	nodes := []string{e.cfg.Node}
	for _, node := range e.cfg.Topology.Edge.NodeNames() {
		if node != e.cfg.Node {
			nodes = append(nodes, node)
		}
	}
	var all []netip.AddrPort
	for _, node := range nodes {
		all = append(all, netip.AddrPortFrom(e.cfg.Internal.Net.Address(Place(AVInterface, node)), AVPort))
	}
	return all
}

// Close stops both services and waits for their connections.
func (a *avEdge) Close() error { return errors.Join(a.mras.Close(), a.closeRelay()) }

func (a *avEdge) closeRelay() error {
	err := a.turn.Close()
	a.conns.drain()
	return err
}

func boundHost(ln net.Listener) string {
	host, _, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		return "127.0.0.1"
	}
	return host
}

// Allocate plays the leg from the next hop to MRAS: SERVICE over mutual TLS brings a token, and the token opens an
// allocation on the A/V Edge; in a pool on that of each server, since media goes to any of them.
func Allocate(ctx context.Context, nextHop *peers.Host, t topology.Topology, rec *verdict.Record) error {
	domain := first(t.SIPDomains)
	s, err := sip.Dial(ctx, pool(t, nextHop), sip.Leg{From: domain, To: domain, Server: t.Edge.Internal, Port: MRASPort, Record: rec})
	if err != nil {
		return err
	}
	defer s.Close("the leg is over")
	creds, relays, err := requestToken(ctx, s, domain)
	if err != nil {
		return err
	}
	rec.Addf(verdict.KindNote, "MRAS gives %s a token for %d minutes; the A/V Edge at %s itself shows no certificate", creds.Username, creds.Duration, relays[0])
	for i, relay := range relays {
		if i > 0 {
			rec.Addf(verdict.KindNote, "the same token is shown to the A/V Edge of another server of the pool, at %s", relay)
		}
		if err := openAllocation(ctx, nextHop, creds, relay, rec); err != nil {
			return err
		}
	}
	s.Exchanged("MRAS gave a token, and the A/V Edge took it")
	return nil
}

// requestToken asks MRAS for a token.
func requestToken(ctx context.Context, s *sip.Session, domain string) (credentials, []netip.AddrPort, error) {
	identity := "sip:edgelab@" + domain
	body, err := xml.Marshal(mrasRequest{
		ID: "1", From: identity, To: "sip:mras@" + domain, Version: mrasVersion,
		Credentials: []credentialsRequest{{ID: "1", Identity: identity, Location: "intranet", Duration: int(tokenLife.Minutes())}},
	})
	if err != nil {
		return credentials{}, nil, err
	}
	req := s.Request(service)
	req.AppendHeader(upstream.NewHeader("Content-Type", mrasType))
	req.SetBody(body)
	res, err := s.Do(ctx, req)
	if err != nil {
		return credentials{}, nil, err
	}
	return parseResponse(res.Body())
}

// openAllocation opens a TURN allocation at relay, records it, and gives it back.
func openAllocation(ctx context.Context, host *peers.Host, creds credentials, relay netip.AddrPort, rec *verdict.Record) error {
	raw, err := host.Net.Dial(ctx, host.Place(), relay)
	if err != nil {
		rec.Addf(verdict.KindConnectFailed, "A/V Edge at %s: %v", relay, err)
		return fmt.Errorf("A/V Edge at %s: %w", relay, err)
	}
	defer func() { _ = raw.Close() }()
	capture.Speaks(raw, capture.STUN)
	deadline := time.Now().Add(exchangeTimeout(host))
	_ = raw.SetDeadline(deadline)
	unhook := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer unhook()
	client, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: relay.String(), Username: creds.Username, Password: creds.Password, Realm: creds.Realm,
		Conn: turn.NewSTUNConn(raw), RTO: exchangeTimeout(host), LoggerFactory: quiet(),
	})
	if err != nil {
		rec.Addf(verdict.KindHarness, "TURN client: %v", err)
		return fmt.Errorf("TURN client: %w", err)
	}
	defer client.Close()
	if err := client.Listen(); err != nil {
		rec.Addf(verdict.KindHarness, "TURN client: %v", err)
		return fmt.Errorf("TURN client: %w", err)
	}
	conn, err := client.Allocate()
	if err != nil {
		rec.Add(verdict.Event{Kind: verdict.KindRefused, Code: verdict.ApplicationRefused, Text: fmt.Sprintf("the A/V Edge at %s opens no allocation with this token: %v", relay, err)})
		return fmt.Errorf("A/V Edge at %s: %w", relay, err)
	}
	rec.Addf(verdict.KindRelayAllocation, "the token opens the allocation %s", conn.LocalAddr())
	return conn.Close()
}

func exchangeTimeout(h *peers.Host) time.Duration {
	if h.Timeouts.Exchange > 0 {
		return h.Timeouts.Exchange
	}
	return peers.DefaultTimeouts.Exchange
}

// quiet returns a logger that writes nothing: what matters is in the evidence.
func quiet() logging.LoggerFactory {
	return &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled, ScopeLevels: map[string]logging.LogLevel{}}
}

func first(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[0]
}
