package plan

import (
	"strings"

	"github.com/edgelab/edgelab/lab/verdict"
)

// Keys of the deployment's own certificates, by which a scenario names what differs.
const (
	External = "external" // external Edge interface
	Internal = "internal" // internal Edge interface
	NextHop  = "next-hop" // the Front End or Director pool's own; not part of the order
	// ClientRole is what the external interface shows as a client, where that isn't External.
	ClientRole = "client"
	// These stand on the plan, and no leg needs them.
	ReverseProxy  = "reverse-proxy"
	Director      = "director"
	DirectorOAuth = "director-oauth"
)

// AtNode returns the key of the certificate that one Edge Server of a pool has for itself: "external@edge02".
func AtNode(key, node string) string {
	if node == "" {
		return key
	}
	return key + "@" + node
}

// Shared returns the key of the certificate that a whole pool has, and the server of which key is the own.
func Shared(key string) (shared, node string) {
	shared, node, _ = strings.Cut(key, "@")
	return shared, node
}

// A Usage is an extended key usage: "server", "client", "any" or a dotted OID.
type Usage string

// The usages that have names; any other is an OID.
const (
	Server Usage = "server" // id-kp-serverAuth 1.3.6.1.5.5.7.3.1
	Client Usage = "client" // id-kp-clientAuth 1.3.6.1.5.5.7.3.2
	Any    Usage = "any"    // anyExtendedKeyUsage 2.5.29.37.0
)

// A SANKind is the type of a SAN entry.
type SANKind string

// The kinds of SAN entry that can be ordered.
const (
	DNSName  SANKind = "dns"       // dNSName, wildcards included
	URI      SANKind = "uri"       // uniformResourceIdentifier
	XMPPAddr SANKind = "xmpp-addr" // otherName id-on-xmppAddr 1.3.6.1.5.5.7.8.5, RFC 6120 §13.7.1.4
	SRVName  SANKind = "srv-name"  // otherName id-on-dnsSRV 1.3.6.1.5.5.7.8.7, RFC 4985
)

// A SAN is one subject alternative name and why it is there.
type SAN struct {
	Kind   SANKind        `json:"kind"`
	Value  string         `json:"value"`
	Note   string         `json:"note,omitempty"` // as in Microsoft's table: "XMPP namespace contoso.com"
	Reason string         `json:"reason"`
	Source verdict.Source `json:"source"`
}

// An EKU is one extended key usage and why it is there.
type EKU struct {
	Usage  Usage          `json:"usage"`
	Reason string         `json:"reason"`
	Source verdict.Source `json:"source"`
}

// A Key is the key to generate.
type Key struct {
	Type       string         `json:"type"` // "rsa-2048", "ecdsa-p256": see KeyTypes
	Exportable bool           `json:"exportable"`
	Reason     string         `json:"reason,omitempty"`
	Source     verdict.Source `json:"source,omitzero"`
}

// An Assignment is a service that the certificate is given to.
type Assignment struct {
	Service string         `json:"service"` // "Access Edge"
	Type    string         `json:"type"`    // Set-CsCertificate -Type: "AccessEdgeExternal"
	Note    string         `json:"note,omitempty"`
	Source  verdict.Source `json:"source,omitzero"`
}

// A CAKind says who may issue a certificate.
type CAKind string

// The kinds of CA.
const (
	PublicCA   CAKind = "public"
	InternalCA CAKind = "internal" // private or public: the internal interface is seen by the deployment alone
	PrivateCA  CAKind = "private"  // the organisation's own, whose root the partners install
	PartnerCA  CAKind = "partner"  // whatever CA the partner has; not part of the order
)

// A Certificate is one line of the order.
type Certificate struct {
	Key           string         `json:"key"`       // External, Internal; NextHop or a partner's name for those that stand in the lab only
	Component     string         `json:"component"` // "External / Access Edge"
	Subject       string         `json:"subject"`
	SubjectReason string         `json:"subject-reason"`
	SubjectSource verdict.Source `json:"subject-source"`
	SANs          []SAN          `json:"sans"`
	EKUs          []EKU          `json:"ekus"`
	CA            CAKind         `json:"ca"`
	KeySpec       Key            `json:"key-spec"`
	AssignedTo    []Assignment   `json:"assigned-to"`
	Notes         []string       `json:"notes,omitempty"`
}

// A Plan is the whole order.
type Plan struct {
	Certificates []Certificate `json:"certificates"`
	Choices      []Choice      `json:"choices,omitempty"` // what the topics contradict each other on, and the answers
	Staging      Staging       `json:"staging,omitzero"`  // reports before it had none
}

// Certificate returns the line with the given key.
func (p Plan) Certificate(key string) (Certificate, bool) {
	for _, c := range p.Certificates {
		if c.Key == key {
			return c, true
		}
	}
	return Certificate{}, false
}
