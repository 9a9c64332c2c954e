package request

import (
	"fmt"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/topology"
)

// A windowsKey is a key type by the names that certreq and Request-CsCertificate give it.
type windowsKey struct {
	inf    string // KeyAlgorithm and KeyLength
	length int
	alg    string // -KeyAlg; empty: the cmdlet doesn't know it
}

// windowsKeys are the keys that Windows makes. The cmdlet takes RSA of 1024, 2048 and 4096 bits and three curves
// (Request-CsCertificate, parameters -KeyAlg and -KeySize).
var windowsKeys = map[string]windowsKey{
	"rsa-2048": {"RSA", 2048, "RSA"}, "rsa-3072": {"RSA", 3072, ""}, "rsa-4096": {"RSA", 4096, "RSA"},
	"ecdsa-p256": {"ECDSA_P256", 256, "ECDH_P256"}, "ecdsa-p384": {"ECDSA_P384", 384, "ECDH_P384"}, "ecdsa-p521": {"ECDSA_P521", 521, "ECDH_P521"},
}

// crlf is how lines end in files for Windows.
const crlf = "\r\n"

// inf writes the request for certreq -new.
func (r *Request) inf(opts Options) string {
	o := r.Order
	key, known := windowsKeys[o.Key]
	if !known {
		r.note(FormInf, "Windows makes no key of type %s: take another, or the CSR", o.Key)
		return ""
	}
	subject := ""
	if o.Subject != "" {
		subject = "CN=" + o.Subject
	}
	provider := []string{`ProviderName = "Microsoft RSA SChannel Cryptographic Provider"`, "ProviderType = 12", "KeySpec = 1"}
	if key.inf != "RSA" {
		provider = []string{`ProviderName = "Microsoft Software Key Storage Provider"`}
	}
	lines := []string{
		"; " + r.Certificate.Component + ": certreq -new " + r.Certificate.Key + ".inf " + r.Certificate.Key + ".csr",
		"[Version]", `Signature = "$Windows NT$"`, "",
		"[NewRequest]",
		fmt.Sprintf("Subject = %q", subject),
		fmt.Sprintf("FriendlyName = %q", r.Certificate.Component),
		"KeyAlgorithm = " + key.inf,
		fmt.Sprintf("KeyLength = %d", key.length),
		fmt.Sprintf("KeyUsage = 0x%02x", r.keyUsageBits()),
		"HashAlgorithm = " + or(o.Hash, "sha256"),
		"Exportable = " + upper(r.Certificate.KeySpec.Exportable),
		"MachineKeySet = TRUE", "RequestType = PKCS10",
	}
	lines = append(lines, provider...)
	lines = append(lines, "SMIME = FALSE", "Silent = TRUE", "UseExistingKeySet = FALSE", "UserProtected = FALSE", "PrivateKeyArchive = FALSE")
	lines = append(lines, r.infExtensions()...)
	if opts.Template != "" {
		lines = append(lines, "", "[RequestAttributes]", fmt.Sprintf("CertificateTemplate = %q", opts.Template))
	}
	return strings.Join(lines, crlf) + crlf
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func upper(b bool) string {
	if b {
		return "TRUE"
	}
	return "FALSE"
}

// keyUsageBits are the first octet of the extension, as certreq takes it.
func (r *Request) keyUsageBits() int {
	bits := 0
	for _, name := range keyUsages(r.Order) {
		if i := slices.Index(plan.KeyUsages(), name); i >= 0 && i < 8 {
			bits |= 0x80 >> i
		}
	}
	return bits
}

// infExtensions are the EKUs and the SANs, each name on a line of its own.
func (r *Request) infExtensions() []string {
	var lines, names []string
	if len(r.Order.EKUs) > 0 {
		lines = append(lines, "", "[EnhancedKeyUsageExtension]")
	}
	for _, u := range r.Order.EKUs {
		lines = append(lines, "OID = "+dotted(u))
	}
	for _, n := range r.Order.SANs {
		switch n.Kind {
		case plan.DNSName:
			names = append(names, "dns="+n.Value)
		case plan.URI:
			names = append(names, "url="+n.Value)
		default:
			r.note(FormInf, "certreq has no word for the SAN %s: it is left out", n)
		}
	}
	if len(names) == 0 {
		return lines
	}
	lines = append(lines, "", "[Extensions]", `2.5.29.17 = "{text}"`)
	for i, n := range names {
		if i < len(names)-1 {
			n += "&"
		}
		lines = append(lines, fmt.Sprintf("_continue_ = %q", n))
	}
	return lines
}

// shell writes the request for the Lync Server Management Shell, and what follows it once the certificate has come.
func (r *Request) shell(opts Options) string {
	types := r.types()
	key, known := windowsKeys[r.Order.Key]
	switch {
	case len(types) == 0:
		r.note(FormShell, "no service of Lync Server is assigned it")
		return ""
	case !known || key.alg == "":
		r.note(FormShell, "Request-CsCertificate makes no key of type %s: take another, or the CSR", r.Order.Key)
		return ""
	}
	r.shellNotes(opts)
	words := []string{"Request-CsCertificate -New -Type " + types}
	if computer := opts.computer(r.Certificate.Key); computer != "" {
		words = append(words, "-ComputerFqdn "+quoted(computer))
	}
	output := `C:\` + r.Certificate.Key + ".csr"
	if opts.CA != "" && r.Certificate.CA == plan.InternalCA {
		words = append(words, "-CA "+quoted(opts.CA))
	} else {
		words = append(words, "-Output "+output)
	}
	words = append(words, "-FriendlyName "+quoted(r.Certificate.Component))
	client := slices.Contains(r.Order.EKUs, plan.Client)
	if template := opts.Template; client || template != "" {
		words = append(words, "-Template "+quoted(or(template, "<template>")))
	}
	words = append(words, "-PrivateKeyExportable $"+title(r.Certificate.KeySpec.Exportable))
	extra, all := r.domains(opts.Topology)
	if len(extra) > 0 {
		words = append(words, "-DomainName "+quoted(strings.Join(extra, ",")))
	}
	if all {
		words = append(words, "-AllSipDomain")
	}
	if client {
		words = append(words, "-ClientEKU $true")
	}
	if key.alg == "RSA" {
		words = append(words, fmt.Sprintf("-KeySize %d", key.length))
	}
	words = append(words, "-KeyAlg "+key.alg)

	lines := r.head(client && opts.Template == "")
	lines = append(lines, strings.Join(words, " "), "",
		"# When the certificate has come:",
		`Import-CsCertificate -Path C:\`+r.Certificate.Key+".cer -PrivateKeyExportable $"+title(r.Certificate.KeySpec.Exportable),
		"Set-CsCertificate -Type "+types+` -Thumbprint "<thumbprint>"`)
	return strings.Join(lines, crlf) + crlf
}

// onDirector reports whether a certificate belongs to the Director.
func onDirector(key string) bool { return key == plan.Director || key == plan.DirectorOAuth }

func (r *Request) head(template bool) []string {
	server := "the Edge Server"
	if onDirector(r.Certificate.Key) {
		server = "the Director"
	}
	lines := []string{"# " + r.Certificate.Component + ", in the Lync Server Management Shell of " + server}
	if template {
		lines = append(lines, "# <template> is one of your own that has both EKUs; the Certificate Wizard's Web Server template has the server EKU only")
	}
	for _, n := range r.Notes {
		if n.Form == FormShell {
			lines = append(lines, "# "+n.Detail)
		}
	}
	return lines
}

// types are the values of -Type, each once.
func (r *Request) types() string {
	var types []string
	for _, a := range r.Certificate.AssignedTo {
		if a.Type != "" && !slices.Contains(types, a.Type) {
			types = append(types, a.Type)
		}
	}
	return strings.Join(types, ",")
}

// computer is where the cmdlet runs.
func (o Options) computer(key string) string {
	if onDirector(key) && len(o.Topology.Director.Nodes) > 0 {
		return o.Topology.Director.Nodes[0]
	}
	single := []topology.Layout{topology.SingleNAT, topology.SinglePublic}
	if o.Computer == "" && slices.Contains(single, o.Topology.Edge.Layout) {
		return o.Topology.Edge.Internal // a single Edge Server's pool is called as it is itself
	}
	return o.Computer
}

// domains returns the SANs that the cmdlet must be told, and whether it is to add sip.<domain> of every SIP domain.
// By itself it takes the Access Edge FQDN, the Web Conferencing Edge FQDN and sip.<default SIP domain>; the bare
// domains of XMPP are told in any case, because only the wizard is said to add one.
func (r *Request) domains(t topology.Topology) (extra []string, all bool) {
	if r.Certificate.Key != plan.External {
		for _, n := range r.Order.SANs {
			if n.Kind == plan.DNSName && n.Value != r.Order.Subject {
				extra = append(extra, n.Value)
			}
		}
		return extra, false
	}
	derived := r.derived(t)
	all = len(t.SIPDomains) > 1
	for _, d := range t.SIPDomains {
		all = all && r.has("sip."+d)
	}
	if all {
		for _, d := range t.SIPDomains {
			derived = append(derived, "sip."+d)
		}
	}
	for _, n := range r.Order.SANs {
		if n.Kind == plan.DNSName && !slices.Contains(derived, n.Value) {
			extra = append(extra, n.Value)
		}
	}
	return extra, all
}

// derived are the names that the cmdlet takes from the topology without being told.
func (r *Request) derived(t topology.Topology) []string {
	names := []string{t.Edge.Access}
	if t.Edge.WebConf != "" {
		names = append(names, t.Edge.WebConf)
	}
	if len(t.SIPDomains) > 0 {
		names = append(names, "sip."+t.SIPDomains[0])
	}
	return names
}

func (r *Request) has(name string) bool {
	return slices.ContainsFunc(r.Order.SANs, func(n plan.Name) bool { return n.Kind == plan.DNSName && n.Value == name })
}

// shellNotes says where the cmdlet will make something else than the order.
func (r *Request) shellNotes(opts Options) {
	for _, n := range r.Order.SANs {
		if n.Kind != plan.DNSName {
			r.note(FormShell, "Request-CsCertificate knows dNSNames only: %s is left out", n)
		}
	}
	if r.Certificate.Key == plan.External {
		for _, name := range r.derived(opts.Topology) {
			if name != "" && !r.has(name) {
				r.note(FormShell, "Request-CsCertificate adds %s by itself, though it isn't ordered", name)
			}
		}
	}
	if r.Order.Subject != r.Certificate.Subject {
		r.note(FormShell, "Request-CsCertificate takes the subject name %s from the topology, not %q", r.Certificate.Subject, r.Order.Subject)
	}
	for _, u := range r.Order.EKUs {
		if u != plan.Server && u != plan.Client {
			r.note(FormShell, "Request-CsCertificate can't ask for the EKU %s", u)
		}
	}
	if !slices.Contains(r.Order.EKUs, plan.Server) {
		r.note(FormShell, "Request-CsCertificate asks for the server EKU, though it isn't ordered")
	}
}

// quoted writes a string of checked characters in the shell's double quotes.
func quoted(s string) string {
	return `"` + strings.NewReplacer("`", "``", `"`, "`\"", "$", "`$").Replace(s) + `"`
}

func title(b bool) string {
	if b {
		return "True"
	}
	return "False"
}
