package lab

import (
	"fmt"
	"strings"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
)

// advice says in a sentence what to change so that a leg works. It depends on the verdict and on whose certificate
// was judged; edgelab explain has the long form.
func advice(v verdict.Verdict, judged string, l topology.Leg) string {
	name := fmt.Sprintf("certificate %q", judged)
	if judged != plan.External && judged != plan.Internal && judged != "" {
		name = fmt.Sprintf("%s's certificate (the partner's to change)", judged)
	}
	if v.Judgement != nil {
		if f := v.Judgement.Failed(); len(f) > 0 && f[0].Name == "signature" {
			return fmt.Sprintf("install %s with the chain that its CA has signed: one that is sent didn't sign what is below it", name)
		}
	}
	sought := ""
	if v.Judgement != nil && (v.Code == verdict.NameMismatch || v.Code == verdict.WildcardRefused) {
		for _, c := range v.Judgement.Failed() {
			if c.Name == "name" {
				sought = " (" + c.Detail + ")"
			}
		}
	}
	text, ok := map[verdict.Code]string{
		verdict.ClientEKUMissing:  "order %s with the client EKU besides the server EKU, or give the client role a certificate of its own",
		verdict.ServerEKUMissing:  "order %s with the server EKU",
		verdict.IntermediateEKU:   "have %s issued under an intermediate whose EKU allows the purpose",
		verdict.KeyUsage:          "order %s with the key usage digitalSignature",
		verdict.BasicConstraints:  "have %s issued as an end-entity certificate by a proper CA",
		verdict.CriticalExtension: "have %s issued without the unknown critical extension",
		verdict.NameConstraints:   "have %s issued under an intermediate whose name constraints allow its names",
		verdict.NameMismatch:      "add the name that is looked for to the SAN of %s",
		verdict.SubjectNotInSAN:   "repeat the subject name in the SAN of %s",
		verdict.WildcardRefused:   "name the host or domain itself in the SAN of %s, in place of the wildcard",
		verdict.ChainIncomplete:   "install the intermediate beside %s, so that it is sent along",
		verdict.UntrustedRoot:     "have %s issued by a CA that the other side trusts, or have it add the root",
		verdict.SelfSigned:        "have %s issued by a CA",
		verdict.Expired:           "renew %s",
		verdict.NotYetValid:       "wait until %s is valid, or set the clocks right",
		verdict.Revoked:           "replace %s and find out why it was revoked",
		verdict.RevocationUnknown: "see that the CRL of %s can be fetched, or order it with a CRL distribution point",
		verdict.WeakKey:           "order %s with RSA-2048 or better",
		verdict.WeakSignature:     "have %s signed with SHA-256 or better",
		verdict.NoClientCert:      "let the connecting side show its certificate; check that %s has what its stack wants to see before it sends it",
	}[v.Code]
	if ok {
		if judged == "" {
			name = "the certificate"
		}
		return strings.Replace(text, "%s", name, 1) + sought
	}
	switch v.Code {
	case verdict.SRVMismatch:
		return "let the SRV record of the domain lead to a host of the same domain, and name that host in the SAN"
	case verdict.SRVMissing:
		return "publish the SRV record, or have the partner pin your server's FQDN"
	case verdict.NotAllowed:
		return fmt.Sprintf("put %s on the allow list of %s", l.Initiator, l.Acceptor)
	case verdict.FallbackDialback:
		return "nothing breaks while dialback is allowed; to be trusted by certificate, mend the check that failed"
	case verdict.PlaintextDialback:
		return "no certificate can mend this: the partner does no TLS"
	case verdict.TLSRefused:
		return "find out why the other side refuses TLS; its log has the reason"
	case verdict.NoAnswer:
		return "check the address and port in DNS, the firewall, and that the service runs"
	case verdict.Unknown:
		return "ask the partner, or measure the product: the lab won't guess"
	}
	return ""
}
