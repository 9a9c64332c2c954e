package remote

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// An identity is by what one party of the control channel is known, and by what it knows the others. It has nothing to do
// with the certificates that the lab is about.
type identity struct {
	CA   []byte `json:"ca"`   // DER
	Cert []byte `json:"cert"` // DER
	Key  []byte `json:"key"`  // PKCS #8
}

// controlLife is how long identities are valid: a lab is over long before.
const controlLife = 365 * 24 * time.Hour

// newIdentities makes a CA and one identity for each name. The CA's key is then gone.
func newIdentities(names []string) (map[string]identity, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	from := time.Now().Add(-time.Hour)
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "edgelab control"}, NotBefore: from, NotAfter: from.Add(controlLife),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, root, root, caKey.Public(), caKey)
	if err != nil {
		return nil, err
	}
	out := map[string]identity{}
	for i, name := range names {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		id := identity{CA: caDER}
		id.Cert, err = x509.CreateCertificate(rand.Reader, &x509.Certificate{
			SerialNumber: big.NewInt(int64(i) + 2), Subject: pkix.Name{CommonName: name}, DNSNames: answersFor(name, names),
			NotBefore: from, NotAfter: from.Add(controlLife), KeyUsage: x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		}, root, key.Public(), caKey)
		if err != nil {
			return nil, err
		}
		if id.Key, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
			return nil, err
		}
		out[name] = id
	}
	return out, nil
}

// answersFor returns the hosts in whose name a party may answer.
func answersFor(name string, names []string) []string {
	if name == AllHosts {
		return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == Coordinator })
	}
	return []string{name}
}

// config returns the TLS of the control channel. Only the coordinator is served.
func (id identity) config() (*tls.Config, error) {
	key, err := x509.ParsePKCS8PrivateKey(id.Key)
	if err != nil {
		return nil, fmt.Errorf("control channel: %w", err)
	}
	root, err := x509.ParseCertificate(id.CA)
	if err != nil {
		return nil, fmt.Errorf("control channel: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{{Certificate: [][]byte{id.Cert}, PrivateKey: key}},
		RootCAs:      pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}, nil
}

var errNotCoordinator = errors.New("control channel: the certificate isn't the coordinator's")

// onlyCoordinator refuses every client but the coordinator.
func onlyCoordinator(cs tls.ConnectionState) error {
	if len(cs.PeerCertificates) == 0 || cs.PeerCertificates[0].VerifyHostname(Coordinator) != nil {
		return errNotCoordinator
	}
	return nil
}
