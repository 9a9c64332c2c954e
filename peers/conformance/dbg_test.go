package conformance

import (
	"crypto/tls"
	"fmt"
	"os"
	"testing"
	"time"
)

func TestDbg(t *testing.T) {
	all, own, err := makeCredentials(now())
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBench(t.Context(), "/root/.cache/edgelab/roots/"+os.Getenv("R"), all, own)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s, err := startKamailio(t.Context(), b, Acceptor, map[string]string{"verify_certificate": "yes", "require_certificate": "yes"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	k := s.(*kamailio)
	o, err := s.probe(t.Context(), all[0], tls.VersionTLS12)
	fmt.Println(o, err)
	fmt.Println(k.p.Log(0))
}
func now() time.Time { return time.Now() }
