package policy

import (
	"crypto/x509"
	"strings"

	"github.com/edgelab/edgelab/lab/verdict"
)

// The conditions of an EKU rule's cases, and what each asks of the extension.
var ekuConditions = map[string]func(c *cert) bool{
	"absent":         func(c *cert) bool { return !c.hasEKU },
	"has-server":     func(c *cert) bool { return c.listsEKU(x509.ExtKeyUsageServerAuth) },
	"has-client":     func(c *cert) bool { return c.listsEKU(x509.ExtKeyUsageClientAuth) },
	"has-any":        func(c *cert) bool { return c.listsEKU(x509.ExtKeyUsageAny) },
	"has-sip-domain": func(c *cert) bool { return c.listsUnknownEKU(oidSIPDomain) },
	"has-gated-crypto": func(c *cert) bool {
		return c.listsEKU(x509.ExtKeyUsageNetscapeServerGatedCrypto) || c.listsEKU(x509.ExtKeyUsageMicrosoftServerGatedCrypto)
	},
	"has-netscape-gated-crypto": func(c *cert) bool { return c.listsEKU(x509.ExtKeyUsageNetscapeServerGatedCrypto) },
	"has-server-without-any": func(c *cert) bool {
		return c.listsEKU(x509.ExtKeyUsageServerAuth) && !c.listsEKU(x509.ExtKeyUsageAny)
	},
	"has-client-without-any": func(c *cert) bool {
		return c.listsEKU(x509.ExtKeyUsageClientAuth) && !c.listsEKU(x509.ExtKeyUsageAny)
	},
	"is-ca-and-has-netscape-gated-crypto": func(c *cert) bool {
		return c.BasicConstraintsValid && c.IsCA && c.listsEKU(x509.ExtKeyUsageNetscapeServerGatedCrypto)
	},
	"else": func(*cert) bool { return true },
}

// The answers of an EKU rule's cases.
const (
	answerOK      = "ok"
	answerRefuse  = "refuse"
	answerUnknown = "unknown"
)

func askEKU(in *inquiry, r *rule, i int) finding {
	c := in.path.certs[i]
	for _, k := range r.Cases {
		if !ekuConditions[k.When](c) {
			continue
		}
		if k.Answer == answerOK {
			return passed
		}
		f := fails(ekuCode(in.purpose, i), c.label()+" has "+ekuNames(c))
		f.unknown = k.Answer == answerUnknown
		return f
	}
	return passed
}

func ekuCode(p purpose, depth int) verdict.Code {
	switch {
	case depth > 0:
		return verdict.IntermediateEKU
	case p == purposeClient:
		return verdict.ClientEKUMissing
	default:
		return verdict.ServerEKUMissing
	}
}

// ekuNames describes c's EKU in words.
func ekuNames(c *cert) string {
	if !c.hasEKU {
		return "no EKU extension"
	}
	var names []string
	for _, u := range c.ExtKeyUsage {
		switch u {
		case x509.ExtKeyUsageServerAuth:
			names = append(names, "serverAuth")
		case x509.ExtKeyUsageClientAuth:
			names = append(names, "clientAuth")
		case x509.ExtKeyUsageAny:
			names = append(names, "anyExtendedKeyUsage")
		default:
			names = append(names, "another usage")
		}
	}
	for _, oid := range c.UnknownExtKeyUsage {
		names = append(names, oid.String())
	}
	if len(names) == 0 {
		return "an empty EKU extension"
	}
	return "the EKU " + strings.Join(names, ", ")
}
