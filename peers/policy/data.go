package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"github.com/edgelab/edgelab/lab/verdict"
)

// A stackFile is one file of stacks/: how a TLS library judges a chain.
type stackFile struct {
	ID    string `yaml:"stack"`
	Title string `yaml:"title"`
	Note  string `yaml:"note"`
	// Base names a stack whose data this one starts from. Rules with the same ID, and alerts with the same code,
	// replace the base's; Drop takes rules away.
	Base   string                 `yaml:"base"`
	Drop   []string               `yaml:"drop"`
	Path   pathRules              `yaml:"path"`
	Order  []phase                `yaml:"order"`
	Alerts map[verdict.Code]alert `yaml:"alerts"`
	Rules  []rule                 `yaml:"rules"`
}

// pathRules say how a stack finds its way from the leaf to its store.
type pathRules struct {
	Strategy strategy       `yaml:"strategy"`
	Source   verdict.Source `yaml:"source"`
	// PartialChain lets any certificate of the store end the path, not only a self-signed one.
	PartialChain bool `yaml:"partial-chain"`
	// LeafAnchor accepts a leaf that is itself in the store without looking further.
	LeafAnchor bool `yaml:"leaf-anchor"`
	// LeafUnchecked asks nothing more of a leaf that LeafAnchor accepted.
	LeafUnchecked bool `yaml:"leaf-unchecked"`
	// SelfSignedLeaf is "refused" where a self-signed certificate sent alone is never trusted.
	SelfSignedLeaf string `yaml:"self-signed-leaf"`
	// VerifyFirst takes no certificate for an issuer whose key didn't make the signature.
	VerifyFirst bool `yaml:"verify-first"`
	// Names is "canonical" where letter case, string type and spaces of distinguished names don't count (RFC 5280
	// §7.1), "text" where the string type alone doesn't; without it they are compared byte by byte.
	Names string `yaml:"names"`
	// KeyIDs makes an issuer whose key identifier differs from the subject's authority key identifier no issuer.
	KeyIDs bool `yaml:"key-ids"`
	// AnchorKeyIDs asks the same of certificates of the store alone.
	AnchorKeyIDs bool `yaml:"anchor-key-ids"`
	// PresentedFirst asks the store for an issuer only where none that was sent fits, but for roots.
	PresentedFirst bool `yaml:"presented-first"`
	// Shorten takes what was sent from the first certificate on that the store holds for unsent.
	Shorten bool `yaml:"shorten"`
}

// A strategy is one way to build a path; each is a function in path.go.
type strategy string

const (
	firstMatch strategy = "first-match" // one path, the first issuer that fits; the store is asked before the presented certificates
	allPaths   strategy = "all-paths"   // every path; one that passes all rules is enough
	noPath     strategy = "none"        // chains are not looked at
	sorted     strategy = "sorted"      // the presented certificates in issuing order, and then the store
)

// A phase is a set of rules that a stack asks in one walk over the path.
type phase struct {
	Walk  walk     `yaml:"walk"`
	Rules []string `yaml:"rules"`
}

// A walk is the direction of a phase.
type walk string

const (
	walkUp   walk = "up"   // leaf first, all rules for one certificate before the next
	walkDown walk = "down" // anchor first
)

// An alert is the TLS alert that a refusal leads to, by role and by TLS version.
type alert map[alertCase]uint8

type alertCase struct {
	role  Role
	tls13 bool
}

// UnmarshalYAML takes a number for all cases, or a mapping from TLS versions (1.2, 1.3) or roles to such.
func (a *alert) UnmarshalYAML(n *yaml.Node) error {
	*a = alert{}
	return a.set(n, []Role{Acceptor, Initiator}, []bool{false, true})
}

func (a *alert) set(n *yaml.Node, roles []Role, versions []bool) error {
	if n.Kind != yaml.MappingNode {
		var v uint8
		if err := n.Decode(&v); err != nil {
			return err
		}
		for _, r := range roles {
			for _, tls13 := range versions {
				(*a)[alertCase{r, tls13}] = v
			}
		}
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		r, v := roles, versions
		switch key := n.Content[i]; key.Value {
		case "1.2", "1.3":
			v = []bool{key.Value == "1.3"}
		case string(Acceptor), string(Initiator):
			r = []Role{Role(key.Value)}
		default:
			return fmt.Errorf("line %d: an alert depends on %s, %s, 1.2 or 1.3, not on %q", key.Line, Acceptor, Initiator, key.Value)
		}
		if err := a.set(n.Content[i+1], r, v); err != nil {
			return err
		}
	}
	return nil
}

// A rule is one question that a stack or an application puts to a chain. Which of the parameters count depends on
// the check; validate refuses the others.
type rule struct {
	ID     string         `yaml:"id"`
	Check  string         `yaml:"check"`
	Words  string         `yaml:"words"`
	Source verdict.Source `yaml:"source"`

	// When the rule is asked at all.
	Role    Role              `yaml:"role"`    // empty: in both
	Purpose purpose           `yaml:"purpose"` // empty: for any
	TLS     string            `yaml:"tls"`     // "1.2" or "1.3"; empty: in both
	If      map[string]string `yaml:"if"`      // settings; a missing one has its packaged value
	Layer   verdict.Layer     `yaml:"layer"`   // of an application's own rule: where a failure takes effect
	Certs   certs             `yaml:"certs"`   // which certificates of the path; empty: as usual for the check

	// Unknown makes a failure of this rule an unknown: the rule is one that may or may not exist.
	Unknown bool `yaml:"unknown"`
	// Fatal makes a failure end the handshake even where the application lets bad chains through: the stack itself
	// can't go on.
	Fatal bool         `yaml:"fatal"`
	Code  verdict.Code `yaml:"code"`  // instead of the check's usual code
	Alert alert        `yaml:"alert"` // instead of the stack's for the code

	// Parameters.
	Cases      []eKUCase  `yaml:"cases"`       // eku, eku-ca
	AnyOf      []string   `yaml:"any-of"`      // key-usage: one of these bits is needed
	SelfIssued string     `yaml:"self-issued"` // path-length: "counted" if self-issued CAs count
	Known      []string   `yaml:"known"`       // critical: OIDs that the judge processes
	WithEKU    string     `yaml:"with-eku"`    // key-usage: only if the EKU meets this condition
	NotCA      bool       `yaml:"not-ca"`      // key-usage: only for certificates that are no CA
	Keys       []string   `yaml:"keys"`        // key-usage: only for keys of these kinds, "rsa", "ecdsa", "ed25519"
	MinRSA     int        `yaml:"min-rsa"`     // key-strength: bits
	MinEC      int        `yaml:"min-ec"`      // key-strength: bits
	Kinds      []string   `yaml:"kinds"`       // key-strength: key types that the judge takes; empty: any
	Refuse     []string   `yaml:"refuse"`      // signature-strength: hashes
	Fields     []string   `yaml:"fields"`      // ca: which of the CA marks are asked for
	Forms      []string   `yaml:"forms"`       // name-constraints: name forms that are compared
	Need       string     `yaml:"need"`        // revocation: "always", "if-available"
	Unreadable []string   `yaml:"unreadable"`  // encoding: what the stack can't read
	CRL        []string   `yaml:"crl"`         // revocation: what is asked of a CRL beyond its signature
	BreaksOn   []string   `yaml:"breaks-on"`   // defect: what in a leaf the product can't digest
	Name       *nameRules `yaml:"name"`        // name
}

// certs is a part of a path.
type certs string

const (
	certsLeaf    certs = "leaf"
	certsIssuers certs = "issuers"        // all but the leaf
	certsCAs     certs = "intermediates"  // all but leaf and anchor
	certsNoRoot  certs = "all-but-anchor" // leaf and intermediates
	certsAll     certs = "all"            //
	certsSent    certs = "sent-issuers"   // intermediates, and the anchor if the peer sent that too and it is no root
	certsAnchor  certs = "anchor"         // the trusted end, unless that is the leaf itself
)

// A purpose is what an application asks the stack to verify a chain for.
type purpose string

const (
	purposeServer purpose = "server"
	purposeClient purpose = "client"
	purposeNone   purpose = "none"
)

// An eKUCase answers for certificates that meet a condition. The first that applies decides.
type eKUCase struct {
	When   string         `yaml:"when"`
	Answer string         `yaml:"answer"`
	Source verdict.Source `yaml:"source"` // if it differs from the rule's
}

// A productFile is one file of products/.
type productFile struct {
	ID       string             `yaml:"product"`
	Title    string             `yaml:"title"`
	Versions string             `yaml:"versions"`
	Protocol string             `yaml:"protocol"` // "sip", "xmpp" or "tls"
	Note     string             `yaml:"note"`
	Base     string             `yaml:"base"`
	Drop     []string           `yaml:"drop"`
	Stack    string             `yaml:"stack"`
	Settings map[string]setting `yaml:"settings"`
	Roles    map[Role]*roleFile `yaml:"roles"`
	Facts    []fact             `yaml:"facts"`
	Rules    []rule             `yaml:"rules"`

	TwoCertificates *TwoCertificates `yaml:"two-certificates"`
}

// A setting is one of a product's options.
type setting struct {
	Words   string   `yaml:"words"`
	Values  []string `yaml:"values"`
	Default string   `yaml:"default"`
	// Initiator is the packaged value where the product acts as initiator, if that differs.
	Initiator string         `yaml:"initiator"`
	Source    verdict.Source `yaml:"source"`
}

// A fact is a rule that no certificate is asked: what a product does by itself.
type fact struct {
	ID     string            `yaml:"id"`
	Words  string            `yaml:"words"`
	Source verdict.Source    `yaml:"source"`
	Role   Role              `yaml:"role"`
	If     map[string]string `yaml:"if"`
}

// A roleFile is how a product acts in one role.
type roleFile struct {
	Source    verdict.Source `yaml:"source"`
	Stack     string         `yaml:"stack"` // if it differs from the product's
	Want      Want           `yaml:"want"`
	Reference Reference      `yaml:"reference"`
	Purpose   purpose        `yaml:"purpose"`
	// What becomes of a peer whose chain fails, whose name fails, or that shows no certificate.
	Chain   consequence `yaml:"chain-failure"`
	Name    consequence `yaml:"name-failure"`
	Missing consequence `yaml:"no-certificate"`

	NeedsClientEKU bool   `yaml:"needs-client-eku"`
	MinTLS         string `yaml:"min-tls"`
	MaxTLS         string `yaml:"max-tls"`
	StartTLS       string `yaml:"starttls"`
	External       bool   `yaml:"external"`
	Dialback       bool   `yaml:"dialback"`

	// Cases override the fields above under settings, in order.
	Cases []roleCase `yaml:"cases"`
}

// A roleCase changes a role under settings. Empty fields change nothing.
type roleCase struct {
	If        map[string]string `yaml:"if"`
	Source    verdict.Source    `yaml:"source"`
	Want      Want              `yaml:"want"`
	Reference Reference         `yaml:"reference"`
	Purpose   purpose           `yaml:"purpose"`
	Chain     consequence       `yaml:"chain-failure"`
	Name      consequence       `yaml:"name-failure"`
	Missing   consequence       `yaml:"no-certificate"`
	StartTLS  string            `yaml:"starttls"`
	External  *bool             `yaml:"external"`
	Dialback  *bool             `yaml:"dialback"`
}

// A consequence is what a failed check leads to.
type consequence string

const (
	refuseTLS  consequence = "alert"             // the handshake is refused
	refuseApp  consequence = "reject"            // the application refuses
	fallBack   consequence = "fallback-dialback" // XEP-0220 decides
	carryOn    consequence = "accept"            // the failure is ignored
	notSettled consequence = "unknown"           // no source says
)

// decode reads exactly one YAML document into v and refuses keys that v doesn't have.
func decode(name string, data []byte, v any) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: more than one document", name)
	}
	return nil
}
