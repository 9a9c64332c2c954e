package verdict

import "time"

// A Side is one end of a leg's connection.
type Side string

const (
	Initiator Side = "initiator"
	Acceptor  Side = "acceptor"
)

// A Kind says what sort of thing happened.
type Kind string

// The kinds of event. Those marked * decide; the others illustrate.
const (
	KindDNS             Kind = "dns"                  // a look-up and its answer
	KindConnect         Kind = "connect"              // TCP connection opened (initiator) or accepted (acceptor)
	KindConnectFailed   Kind = "connect-failed"       // * nothing listens
	KindHello           Kind = "hello"                // ClientHello sent or seen: SNI, versions
	KindCertSent        Kind = "certificate-sent"     // * Certs: the chain this side sent
	KindCertWithheld    Kind = "certificate-withheld" // * asked for a certificate, and sent none
	KindCertSeen        Kind = "certificate-seen"     // * Certs: the chain this side was shown
	KindNoCertSeen      Kind = "no-certificate-seen"  // * asked for a certificate, and was shown none
	KindJudged          Kind = "judged"               // * Judgement: this side judged the other
	KindAlertSent       Kind = "alert-sent"           // * Alert
	KindAlertReceived   Kind = "alert-received"       // * Alert
	KindHandshake       Kind = "handshake"            // * TLS finished as far as this side can see
	KindTLSNotOffered   Kind = "tls-not-offered"      // * STARTTLS wanted and not offered, or offered and not taken
	KindSIPSent         Kind = "sip-sent"
	KindSIPReceived     Kind = "sip-received" // Status for responses
	KindXMPPSent        Kind = "xmpp-sent"
	KindXMPPReceived    Kind = "xmpp-received"
	KindRefused         Kind = "refused"          // * the application said no (sent or received): Status, Text
	KindAuthenticated   Kind = "authenticated"    // * the other side is who it says: Method
	KindExchanged       Kind = "exchanged"        // * a message went there and its answer came back
	KindTimeout         Kind = "timeout"          // * a phase ran out of time
	KindConnectionLost  Kind = "connection-lost"  // * closed or reset without a word
	KindClosed          Kind = "closed"           // ended in order
	KindNote            Kind = "note"             // for people
	KindHarness         Kind = "harness"          // * the lab itself failed
	KindRelayAllocation Kind = "relay-allocation" // a TURN allocation opened with an MRAS token
	KindRevocation      Kind = "revocation"       // a CRL fetched, or not
)

// How an end was authenticated, for KindAuthenticated.
const (
	MethodCertificate = "certificate" // mutual TLS, judged by the application
	MethodExternal    = "EXTERNAL"    // SASL EXTERNAL
	MethodDialback    = "dialback"    // XEP-0220
	MethodServerTLS   = "server-tls"  // only the answering side shows a certificate
)

// An Event is one thing that one side of a leg did or noticed.
type Event struct {
	Seq       int           `json:"seq"`
	At        time.Duration `json:"at"` // since the leg began
	Side      Side          `json:"side"`
	Host      string        `json:"host"`           // the actor: "edge", "litware"
	Conn      string        `json:"conn,omitempty"` // "127.16.0.5:40122 > 127.16.0.1:5061"
	Kind      Kind          `json:"kind"`
	Text      string        `json:"text,omitempty"` // one line for people, no line breaks
	Raw       string        `json:"raw,omitempty"`  // the message itself, where there is one
	Alert     uint8         `json:"alert,omitempty"`
	Status    int           `json:"status,omitempty"` // SIP
	Code      Code          `json:"code,omitempty"`   // for KindRefused by this side: why
	Method    string        `json:"method,omitempty"`
	Encrypted bool          `json:"encrypted,omitempty"`
	Certs     []string      `json:"certs,omitempty"` // SHA-256 fingerprints, leaf first
	Judgement *Judgement    `json:"judgement,omitempty"`
}
