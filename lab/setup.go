package lab

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/edgelab/edgelab/ca"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/dns"
	"github.com/edgelab/edgelab/peers/edge"
	"github.com/edgelab/edgelab/scenarios"
)

// A Setup is one scenario made ready to stand, in one process or in several: all that each of them needs to know, and no
// secret. The private keys are in the Credentials.
type Setup struct {
	ID           string                    `json:"id"`    // of this issue of certificates
	Epoch        time.Time                 `json:"epoch"` // when everybody's clock of events begins
	Seed         uint64                    `json:"seed"`
	Scenario     scenarios.Scenario        `json:"scenario"`
	Addresses    map[string]netip.Addr     `json:"addresses"`           // by host, and by interface of the Edge
	Resolver     netip.AddrPort            `json:"resolver"`            // the lab's DNS
	Elsewhere    map[string]netip.AddrPort `json:"elsewhere,omitempty"` // partners that aren't the lab's own, and where they answer
	Roots        map[string][]byte         `json:"roots"`               // by CA, DER
	CRLs         map[string][]byte         `json:"crls"`                // by URL, DER
	Certificates []Certificate             `json:"certificates"`
}

// A Credential is a certificate with its private key.
type Credential struct {
	Chain    [][]byte `json:"chain"` // DER, leaf first, as it is sent
	Key      []byte   `json:"key"`   // PKCS #8
	Withhold bool     `json:"withhold,omitempty"`
	None     bool     `json:"none,omitempty"` // its end has no certificate
}

// SetupOptions say how a scenario is to stand.
type SetupOptions struct {
	Seed uint64
	// Fixed settles every host's address beforehand, so that the hosts can be several processes.
	Fixed bool
	// Addresses are the hosts' and interfaces'; one that isn't named is on loopback.
	Addresses map[string]netip.Addr
	// Elsewhere are partners that aren't the lab's to play, and where they answer.
	Elsewhere map[string]netip.AddrPort
}

// HostDNS is the host that serves DNS and the CRLs.
const HostDNS = actorDNS

// Hosts returns the hosts of a scenario, each of which can be a process: DNS, the Edge with all its interfaces, the next
// hop, the remote user, and the partners.
func Hosts(s scenarios.Scenario) []string {
	hosts := []string{HostDNS, topology.ActorEdge, topology.ActorNextHop, topology.ActorRemoteUser}
	for _, p := range s.Topology.Partners {
		hosts = append(hosts, p.Name)
	}
	return hosts
}

// KeysOf returns the keys of the certificates that a host shows.
func KeysOf(s scenarios.Scenario, host string) []string {
	var keys []string
	for _, key := range s.CertificateKeys() {
		if hostOfKey(key) == host {
			keys = append(keys, key)
		}
	}
	return keys
}

// HostOf returns the host that a place in the lab's network belongs to, or that plays an actor; false if there is none.
func HostOf(s scenarios.Scenario, place string) (string, bool) {
	place, _, _ = strings.Cut(place, "@") // a server of the pool
	switch place {
	case topology.ActorEdge, edge.InternalInterface, edge.WebConfInterface, edge.AVInterface, topology.ActorMRAS, actorGateway:
		return topology.ActorEdge, true
	case actorCRL:
		return HostDNS, true
	}
	return place, slices.Contains(Hosts(s), place)
}

func hostOfKey(key string) string {
	key, _ = plan.Shared(key)
	switch key {
	case plan.External, plan.Internal:
		return topology.ActorEdge
	case plan.NextHop:
		return topology.ActorNextHop
	}
	return key
}

// Prepare has a scenario's certificates made, for a lab that is to stand. The CAs end with it: what their private keys were
// for is done. Errors are about an address, a partner that isn't there, or an order.
func Prepare(ctx context.Context, s scenarios.Scenario, o SetupOptions) (*Setup, map[string]Credential, error) {
	r, err := newRun(Options{Seed: o.Seed})
	if err != nil {
		return nil, nil, err
	}
	defer r.close()
	id := make([]byte, 8)
	_, _ = rand.Read(id) // never fails (crypto/rand)
	setup := &Setup{
		ID: hex.EncodeToString(id), Epoch: time.Now().UTC(), Seed: o.Seed, Scenario: s, Elsewhere: maps.Clone(o.Elsewhere),
		Roots: map[string][]byte{}, CRLs: map[string][]byte{},
	}
	if err := setup.place(o); err != nil {
		return nil, nil, err
	}
	w := r.empty(s, nil)
	if err := w.issue(ctx); err != nil {
		return nil, nil, err
	}
	setup.Certificates = w.report()
	names := []string{ca.Public, ca.Internal}
	for _, p := range s.Topology.Partners {
		names = append(names, ca.PartnerCA(p.Name))
	}
	for _, name := range names {
		root, err := w.root(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		setup.Roots[name] = root.Raw
	}
	credentials := map[string]Credential{}
	for key, issued := range w.issued {
		if credentials[key], err = credential(issued); err != nil {
			return nil, nil, fmt.Errorf("certificate %q: %w", key, err)
		}
		if err := setup.publish(r.authorities(s.At), issued.TLS.Certificate); err != nil {
			return nil, nil, err
		}
	}
	return setup, credentials, nil
}

func credential(issued *ca.Issued) (Credential, error) {
	if issued.Order.None {
		return Credential{None: true}, nil
	}
	key, err := x509.MarshalPKCS8PrivateKey(issued.TLS.PrivateKey)
	return Credential{Chain: issued.TLS.Certificate, Key: key, Withhold: issued.Order.Withhold}, err
}

// issued returns the credential in the form in which hosts have it.
func (c Credential) issued() (*ca.Issued, error) {
	i := &ca.Issued{Order: plan.Order{Withhold: c.Withhold, None: c.None}, TLS: tls.Certificate{Certificate: c.Chain}}
	if c.None {
		return i, nil
	}
	if len(c.Chain) == 0 {
		return nil, errors.New("a credential without a certificate")
	}
	var err error
	if i.Leaf, err = x509.ParseCertificate(c.Chain[0]); err != nil {
		return nil, err
	}
	i.TLS.Leaf = i.Leaf
	i.TLS.PrivateKey, err = x509.ParsePKCS8PrivateKey(c.Key)
	return i, err
}

// loopback returns the network of labs that stand, in one process or in several; those of runs are 127.16.0.0 to
// 127.215.255.0.
func loopback(several bool) netip.Addr {
	if several {
		return netip.AddrFrom4([4]byte{127, 241, 0, 0})
	}
	return netip.AddrFrom4([4]byte{127, 240, 0, 0})
}

// place gives every host its address.
func (s *Setup) place(o SetupOptions) error {
	for name := range o.Elsewhere {
		if !slices.ContainsFunc(s.Scenario.Topology.Partners, func(p topology.Partner) bool { return p.Name == name }) {
			return &HostError{Host: name, Known: Hosts(s.Scenario)[4:], Reason: "is no partner of " + s.Scenario.Name}
		}
	}
	if !o.Fixed {
		return nil
	}
	n, err := peers.NewNet(loopback(true))
	if err != nil {
		return err
	}
	fillZone(dns.NewZone(), s.Scenario.Topology, n)
	for _, place := range interfaces(s.Scenario.Topology) {
		n.Address(place)
	}
	s.Addresses = n.Addresses()
	for name, at := range o.Elsewhere {
		s.Addresses[name] = at.Addr()
	}
	for name, a := range o.Addresses {
		if _, ok := s.Addresses[name]; !ok {
			continue // another scenario's: one network serves them all
		}
		if err := peers.CheckAddress(a); err != nil {
			return &HostError{Host: name, Reason: err.Error()}
		}
		s.Addresses[name] = a
	}
	if len(o.Addresses) > 0 {
		for _, name := range slices.Sorted(maps.Keys(s.Addresses)) {
			if _, ok := o.Addresses[name]; !ok && s.Addresses[name].IsLoopback() {
				return &HostError{Host: name, Known: slices.Sorted(maps.Keys(o.Addresses)), Reason: "is in " + s.Scenario.Name + " and has no address"}
			}
		}
	}
	return nil
}

// A HostError says what is wrong with a host that was named.
type HostError struct {
	Host, Reason string
	Known        []string // the hosts that there are
}

func (e *HostError) Error() string { return fmt.Sprintf("the host %s %s", e.Host, e.Reason) }

// publish keeps the CRLs that a chain's certificates name.
func (s *Setup) publish(set *ca.Set, chain [][]byte) error {
	for _, der := range chain {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		for _, at := range c.CRLDistributionPoints {
			list, err := set.RevocationList(c, s.Scenario.At)
			if err != nil {
				return err
			}
			s.CRLs[at] = list.Raw
		}
	}
	return nil
}

// publishers returns the names of the hosts in the CRLs' URLs.
func (s *Setup) publishers() []string {
	var hosts []string
	for at := range s.CRLs {
		if u, err := url.Parse(at); err == nil {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}

func (s *Setup) root(name string) (*x509.Certificate, error) {
	return x509.ParseCertificate(s.Roots[name])
}

// ServeHTTP serves the CRLs.
func (s *Setup) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	der, ok := s.CRLs["http://"+strings.ToLower(r.Host)+r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/pkix-crl") // RFC 2585 §4.2
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(der))
}
