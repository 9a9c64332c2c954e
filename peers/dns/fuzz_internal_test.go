package dns

import (
	"net/netip"
	"testing"

	mdns "github.com/miekg/dns"
)

// Whatever is asked, the server answers with a message that can be sent, about what was asked.
func FuzzQuestion(f *testing.F) {
	zone := NewZone()
	zone.SetA("sip.contoso.com", netip.MustParseAddr("127.16.0.1"))
	zone.SetSRV(SIPFederation+".contoso.com", Target{Host: "sip.contoso.com", Port: 5061})
	for _, name := range []string{"sip.contoso.com.", SIPFederation + ".contoso.com.", "nowhere.example.", "."} {
		q := new(mdns.Msg)
		q.SetQuestion(name, mdns.TypeSRV)
		b, err := q.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		q := new(mdns.Msg)
		if q.Unpack(in) != nil {
			return
		}
		a := answer(zone, q)
		if a.Id != q.Id || !a.Response {
			t.Errorf("answer %v to question %v", a, q)
		}
		a.Truncate(mdns.MinMsgSize)
		if _, err := a.Pack(); err != nil && len(q.Question) == 1 {
			if _, asked := q.Pack(); asked == nil {
				t.Errorf("the answer can't be sent: %v", err)
			}
		}
	})
}
