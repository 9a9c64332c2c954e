package sip

import (
	"fmt"
	"strings"
)

// diagnosticsHeader is the header of [MS-OCER] in which Lync servers say what went wrong.
const diagnosticsHeader = "ms-diagnostics"

// A diagnostic is one ms-diagnostics code.
type diagnostic struct {
	id     int
	reason string
}

// What an Access Edge tells its own side about a partner it can't reach. A partner is told nothing: it gets a bare
// 504. 1008: a report of 2013; 1009 and 1010: Cisco document 212383 (2017-10-23), with traces of an Edge; 1027: a
// report of 2012-07-18; 1047: a report of 2012-06.
var (
	noSRV         = diagnostic{1008, "Unable to resolve DNS SRV record"}
	srvElsewhere  = diagnostic{1009, "No match for domain in DNS SRV results"}
	untrusted     = diagnostic{1010, "Certificate trust with another server could not be established"}
	notRouted     = diagnostic{1027, "Cannot route this type of SIP request to or from federated partners"}
	tlsIncomplete = diagnostic{1047, "Failed to complete TLS negotiation with a federated peer server"}
)

// What an Edge writes into its own trace about a peer that it refuses: on the outside (Cisco document 212383), and on
// the inside, where only servers of the topology are let in (TechNet, 2011-12-22).
const (
	traceNotConfigured = "trace: The peer is not a configured server on this network interface"

	traceNoSRVMatch   = "Result-Code 0xc3e93d6f SIPPROXY_E_EPROUTING_MSG_ALLOWED_DOMAIN_NO_SRV_MATCH"
	traceCertMismatch = "Result-Code 0xc3e93d67 SIPPROXY_E_ROUTING_MSG_CERT_MISMATCH"
)

// header returns the header's value; attrs are names and values in turn.
func (d diagnostic) header(source string, attrs ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d;reason=%q", d.id, d.reason)
	for i := 0; i+1 < len(attrs); i += 2 {
		fmt.Fprintf(&b, ";%s=%q", attrs[i], attrs[i+1])
	}
	fmt.Fprintf(&b, ";source=%q", source)
	return b.String()
}
