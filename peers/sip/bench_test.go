package sip_test

import (
	"testing"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/sip"
)

// BenchmarkCall is a whole leg over loopback: look-ups, mutual TLS 1.2, both judgements, OPTIONS and MESSAGE answered.
func BenchmarkCall(b *testing.B) {
	f := newFederation(b, "lync-2013")
	srv, err := sip.Listen(b.Context(), f.partner, sip.FederationPort)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = srv.Close() }()
	for b.Loop() {
		rec := verdict.NewRecord(verdict.Initiator, "edge", "", f.Journal.Clock())
		if err := sip.Call(b.Context(), f.edge, sip.Leg{From: "contoso.com", To: "litware.com", Record: rec}); err != nil {
			b.Fatal(err)
		}
		if _, err := f.Journal.Take(b.Context(), rec.Conn()); err != nil {
			b.Fatal(err)
		}
	}
}
