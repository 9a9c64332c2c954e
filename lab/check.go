package lab

import (
	"cmp"
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/edgelab/edgelab/lab/certfile"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

// A Bought is what a deployment does with a certificate that a CA has made.
type Bought struct {
	File     string             `json:"file"`
	Request  bool               `json:"request"`          // it is a request, so that its validity and issuer are the lab's
	Issuer   string             `json:"issuer,omitempty"` // who issued it
	Chain    int                `json:"chain"`            // how many certificates of the file belong together, itself included
	Order    plan.Order         `json:"order"`            // its fields, from which the lab made its twin
	Findings []certfile.Finding `json:"findings"`         // what its owner should know, and what the twin can't have
	Result   Result             `json:"result"`           // the legs, run with the twin
	// Original says that the file came with its key and its root was at hand, so that no twin was needed.
	Original bool `json:"original"`
	// Planned are the same legs on the same day with the certificate that the plan asks for, and Broken those that work
	// with that one and not with the one that was bought.
	Planned ScenarioResult `json:"planned"`
	Broken  []Break        `json:"broken"`
	// Judged counts the judgements of the original chain that were held against the twin's. Rooted says whether the
	// original's root was at hand; without it the twin's root is trusted all the same.
	Judged int  `json:"judged"`
	Rooted bool `json:"rooted"`
	// Disagreements are judgements in which original and twin differ: faults of the lab, never of the certificate.
	Disagreements []string `json:"disagreements,omitempty"`
}

// CheckCertificate runs a deployment's legs with a certificate that was bought, or requested. A certificate comes
// without its private key, so the lab makes a twin, the same field by field under a look-alike chain, and runs the
// legs with that; then it has the same engine judge the original chain, and holds the two against each other. If the
// file has the key and the root is at hand, the legs are run with the original itself. roots are trusted besides a root
// that came with the certificate.
func CheckCertificate(ctx context.Context, s scenarios.Scenario, file certfile.File, roots []*x509.Certificate, opts Options) (*Bought, error) {
	order, findings := file.Order(s.At)
	b := &Bought{File: file.Name, Request: file.Request != nil, Chain: len(file.Chain), Order: order, Findings: slices.Concat([]certfile.Finding{}, file.Findings, findings), Broken: []Break{}}
	chain := file.Chain
	if len(chain) > 0 {
		last := chain[len(chain)-1]
		b.Issuer = issuerOf(chain[0])
		if last.CheckSignatureFrom(last) == nil {
			roots = append(slices.Clone(roots), last)
		}
		b.Rooted = len(roots) > 0
		if b.Rooted && !slices.ContainsFunc(roots, func(r *x509.Certificate) bool { return last.Equal(r) || last.CheckSignatureFrom(r) == nil }) {
			b.Findings = append(b.Findings, certfile.Finding{
				Rule: "root-mismatch", Detail: "none of the roots that were given issued the end of the chain, " + last.Subject.String(),
				WayOut: "give the CA's root, and see that the file has every intermediate",
			})
		}
	}
	checked := with(s, order)
	if b.Rooted && file.Key != nil && ownKey(file) {
		b.Original = true
		checked.Installed = maps.Clone(s.Installed)
		if checked.Installed == nil {
			checked.Installed = map[string]scenarios.Installed{}
		}
		checked.Installed[plan.External] = scenarios.Installed{Chain: chain, Key: file.Key, Roots: roots}
	}
	opts.unrecorded = 1 // the plan's legs are there to be compared with
	res, err := Run(ctx, []scenarios.Scenario{AsPlanned(s), checked}, opts)
	if res == nil {
		return b, err
	}
	b.Result = *res
	if err != nil || !res.ControlsHold() || len(res.Scenarios) < 2 {
		return b, err
	}
	for _, sr := range res.Scenarios {
		if sr.Error != "" {
			return b, errors.New(sr.Error)
		}
	}
	b.Planned, b.Result.Scenarios = res.Scenarios[0], res.Scenarios[1:]
	b.Broken = broken(b.Planned.Legs, b.Result.Scenarios[0].Legs)
	if b.Original || len(chain) == 0 {
		return b, nil
	}
	policies := opts.Policies
	if policies == nil {
		if policies, err = policy.Load(); err != nil {
			return b, err
		}
	}
	for _, l := range b.Result.Scenarios[0].Legs {
		b.compare(s, l, chain, roots, policies)
	}
	return b, nil
}

// issuerOf returns what people call a certificate's issuer.
func issuerOf(c *x509.Certificate) string {
	return cmp.Or(c.Issuer.CommonName, c.Issuer.String())
}

// ownKey reports whether a file's key is its certificate's.
func ownKey(f certfile.File) bool {
	k, ok := f.Key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(f.Leaf().PublicKey)
}

// compare has the judges of one leg's external certificate judge the original chain as well.
func (b *Bought) compare(s scenarios.Scenario, l LegResult, chain, roots []*x509.Certificate, policies *policy.Catalogue) {
	legs := topology.Legs(s.Topology)
	i := slices.IndexFunc(legs, func(x topology.Leg) bool { return x.ID == l.ID })
	if i < 0 {
		return
	}
	for _, j := range l.Judgements {
		side, judged := verdict.Acceptor, l.Initiator
		if j.Role == string(policy.Initiator) {
			side, judged = verdict.Initiator, l.Acceptor
		}
		if s.Shown(legs[i], judged) != plan.External {
			continue
		}
		product, ok := policies.Product(j.Product)
		if !ok {
			continue
		}
		q := policy.Question{
			Role: policy.Role(j.Role), Chain: chain, Roots: roots, At: s.At, TLS: versionOf(l.Evidence, side),
			Name: soughtIn(s.Topology, legs[i], product, policy.Role(j.Role)),
		}
		if legs[i].Partner != nil {
			q.Settings = legs[i].Partner.Settings
		}
		b.Judged++
		original := product.Judge(q)
		if a, o := b.faults(j), b.faults(original); !slices.Equal(a, o) {
			b.Disagreements = append(b.Disagreements, fmt.Sprintf("%s: %s as %s finds %v in the twin and %v in the original",
				l.ID, j.Product, j.Role, a, o))
		}
	}
}

// aboutTrust are the verdicts that depend on roots and CRLs, which the twin has of its own.
var aboutTrust = []verdict.Code{
	verdict.UntrustedRoot, verdict.SelfSigned, verdict.ChainIncomplete, verdict.Revoked, verdict.RevocationUnknown,
}

// faults returns the codes of a judgement's failed checks as far as twin and original can be compared.
func (b *Bought) faults(j verdict.Judgement) []verdict.Code {
	var out []verdict.Code
	for _, c := range j.Failed() {
		if !slices.Contains(aboutTrust, c.Code) && !slices.Contains(out, c.Code) {
			out = append(out, c.Code)
		}
	}
	slices.Sort(out)
	return out
}

// versionOf returns the TLS version that a side saw negotiated; TLS 1.2, an Edge's own newest, if it saw none.
func versionOf(events []verdict.Event, side verdict.Side) uint16 {
	for _, e := range events {
		if e.Side == side && e.Kind == verdict.KindHandshake && len(e.Text) >= 7 && e.Text[:7] == "TLS 1.3" {
			return tls.VersionTLS13
		}
	}
	return tls.VersionTLS12
}

// soughtIn returns the name that a judge looks for in the Edge's external certificate on a leg.
func soughtIn(t topology.Topology, l topology.Leg, p *policy.Product, role policy.Role) string {
	switch l.Kind {
	case topology.RemoteUser:
		return "sip." + l.Own
	case topology.WebConference:
		return t.Edge.WebConf
	}
	var settings map[string]string
	if l.Partner != nil {
		settings = l.Partner.Settings
	}
	b, err := p.Behaviour(role, settings)
	if err != nil {
		return ""
	}
	target := "sip." + l.Own
	if parentOf(t.Edge.Access) == l.Own {
		target = t.Edge.Access
	}
	if to, ok := t.DNS.SRV["_sipfederationtls._tcp."+l.Own]; ok {
		target = to
	}
	pinned := ""
	if l.Partner != nil {
		pinned = l.Partner.EdgeFQDN
	}
	switch b.Reference {
	case policy.RefDomain:
		return l.Own
	case policy.RefHost, policy.RefSRVTarget, policy.RefProvisioned:
		if pinned != "" {
			return pinned
		}
		if b.Reference == policy.RefProvisioned {
			return t.Edge.Access
		}
		return target
	}
	return ""
}

// A Renewal is one difference between two certificates, seen from the deployment.
type Renewal struct {
	Old     Bought   `json:"old"`
	New     Bought   `json:"new"`
	Changes []string `json:"changes"` // fields that differ
	Broken  []Break  `json:"broken"`  // legs that worked with the old one and don't with the new one
	Mended  []string `json:"mended"`  // legs that work with the new one only
}

// CompareCertificates runs a deployment with an old and a new certificate, at the date at which the new one begins if
// that is later than the scenario's, and says what the renewal changes and breaks.
func CompareCertificates(ctx context.Context, s scenarios.Scenario, before, after certfile.File, opts Options) (*Renewal, error) {
	old, err := CheckCertificate(ctx, withinValidity(s, before), before, nil, opts)
	if err != nil {
		return nil, err
	}
	renewed, err := CheckCertificate(ctx, withinValidity(s, after), after, nil, opts)
	if err != nil {
		return nil, err
	}
	if !old.Result.ControlsHold() || !renewed.Result.ControlsHold() {
		return nil, ErrControls
	}
	r := &Renewal{Old: *old, New: *renewed, Changes: differences(old.Order, renewed.Order), Broken: []Break{}, Mended: []string{}}
	for i, sr := range old.Result.Scenarios {
		next := renewed.Result.Scenarios[i]
		r.Broken = append(r.Broken, broken(sr.Legs, next.Legs)...)
		for _, b := range broken(next.Legs, sr.Legs) {
			r.Mended = append(r.Mended, b.Leg)
		}
	}
	return r, nil
}

// withinValidity moves a scenario's date into a certificate's validity: whether it is expired today isn't the question.
func withinValidity(s scenarios.Scenario, f certfile.File) scenarios.Scenario {
	if leaf := f.Leaf(); leaf != nil && (s.At.Before(leaf.NotBefore) || s.At.After(leaf.NotAfter)) {
		s.At = leaf.NotBefore.Add(24 * time.Hour)
	}
	return s
}

// differences says in words in what two orders differ.
func differences(a, b plan.Order) []string {
	var out []string
	note := func(what, x, y string) {
		if x != y {
			out = append(out, fmt.Sprintf("%s: %s, was %s", what, y, x))
		}
	}
	names := func(o plan.Order) (v []string) {
		for _, n := range o.SANs {
			v = append(v, n.String())
		}
		return v
	}
	note("subject name", a.Subject, b.Subject)
	for _, n := range names(a) {
		if !slices.Contains(names(b), n) {
			out = append(out, "SAN "+n+": gone")
		}
	}
	for _, n := range names(b) {
		if !slices.Contains(names(a), n) {
			out = append(out, "SAN "+n+": new")
		}
	}
	note("EKU", fmt.Sprint(a.EKUs), fmt.Sprint(b.EKUs))
	note("intermediate's EKU", fmt.Sprint(a.IntermediateEKU), fmt.Sprint(b.IntermediateEKU))
	note("key", a.Key, b.Key)
	note("signature hash", a.Hash, b.Hash)
	note("key usage", fmt.Sprint(a.KeyUsage), fmt.Sprint(b.KeyUsage))
	note("days of validity", days(a), days(b))
	note("CRL distribution point", fmt.Sprint(!a.NoCDP), fmt.Sprint(!b.NoCDP))
	note("chain", a.Chain, b.Chain)
	return out
}

func days(o plan.Order) string {
	return fmt.Sprintf("%.0f", o.NotAfter.Sub(o.NotBefore).Hours()/24)
}
