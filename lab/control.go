package lab

import (
	"fmt"

	"github.com/edgelab/edgelab/scenarios"
)

// The lab's own proof: for each protocol a federation that works, and its twin, which is the same but for one EKU and
// must not. They are made with the strictest judges, over the same sockets and by the same code as every other leg.
const (
	controlGood = `
title: Control, known good
edge: {access: sip.control.example, internal: lsedge.control.internal}
sip-domains: [control.example]
xmpp-domains: [control.example]
partners:
  - {name: sip-control, domain: sip-peer.example, protocol: sip, product: aol-pic}
  - {name: xmpp-control, domain: xmpp-peer.example, protocol: xmpp, product: xmpp-strict}
certificates:
  external: {eku: [server, client], key: ecdsa-p256}
`
	controlTwin = `
title: Control, the twin without the client EKU
edge: {access: sip.control.example, internal: lsedge.control.internal}
sip-domains: [control.example]
xmpp-domains: [control.example]
partners:
  - {name: sip-control, domain: sip-peer.example, protocol: sip, product: aol-pic}
  - {name: xmpp-control, domain: xmpp-peer.example, protocol: xmpp, product: xmpp-strict}
certificates:
  external: {eku: [server], key: ecdsa-p256}
expect:
  edge -> sip-control: client-eku-missing
  edge -> xmpp-control: client-eku-missing
`
)

func controlScenarios(products []string) ([]scenarios.Scenario, error) {
	var out []scenarios.Scenario
	for _, c := range []struct{ name, text string }{{"control-good", controlGood}, {"control-twin", controlTwin}} {
		s, err := scenarios.Load(c.name, []byte(c.text), scenarios.Options{Products: products})
		if err != nil {
			return nil, fmt.Errorf("control %s: %w", c.name, err)
		}
		out = append(out, s)
	}
	return out, nil
}
