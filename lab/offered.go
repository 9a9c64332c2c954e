package lab

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/edgelab/edgelab/ca/profile"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/scenarios"
)

// An Offered is what comes of ordering the plan's external certificate from one issuer on one day.
type Offered struct {
	CA       string            `json:"ca"`
	Title    string            `json:"title"`
	At       time.Time         `json:"at"`
	Terms    []profile.Line    `json:"terms"`    // of the issuer on that day, as far as they are known
	Findings []profile.Finding `json:"findings"` // what it doesn't simply sell of the order
	Order    plan.Order        `json:"order"`    // the certificate that it makes instead
	Legs     int               `json:"legs"`     // how many were made
	Broken   []Break           `json:"broken"`   // legs that work with the plan as it is, and not with that certificate
}

// Refused reports whether something of the plan can't be had at all.
func (o Offered) Refused() bool {
	for _, f := range o.Findings {
		if f.Severity == profile.Error {
			return true
		}
	}
	return false
}

// MakeOffered orders the plan's external certificate from an issuer on the scenario's date and runs every leg twice on
// that day: with the certificate that the plan asks for, and with the one that the issuer makes of the order. What the
// scenario changes on the external certificate is no part of either. Roots are trusted as those of the plan's CA are:
// whether a partner has the issuer's root is for the terms to say.
func MakeOffered(ctx context.Context, s scenarios.Scenario, profiles *profile.Profiles, ca string, opts Options) (*Offered, error) {
	o, asked, made, err := OrderFrom(s, profiles, ca)
	if err != nil {
		return nil, err
	}
	r, err := opened(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer r.close()
	o.Findings = r.waysOut(s, o.Findings)
	before, err := r.one(ctx, asked, opts)
	if err != nil {
		return nil, err
	}
	after, err := r.one(ctx, made, opts)
	if err != nil {
		return nil, err
	}
	o.Legs, o.Broken = len(before.Legs), broken(before.Legs, after.Legs)
	return o, nil
}

// OrderFrom orders as MakeOffered does, and makes no leg: it returns the two scenarios, with the certificate that the plan
// asks for and with the one that the issuer makes of the order.
func OrderFrom(s scenarios.Scenario, profiles *profile.Profiles, ca string) (o *Offered, asked, made scenarios.Scenario, err error) {
	offer, err := profiles.At(ca, s.At)
	if err != nil {
		return nil, s, s, err
	}
	planned := AsPlanned(s)
	order, err := planned.Order(plan.External)
	if err != nil {
		return nil, s, s, err
	}
	order.NotBefore, order.NotAfter = s.At, lastSecond(s.At, min(longest(offer), plan.DefaultLifetime))
	o = &Offered{
		CA: offer.Profile.ID, Title: offer.Profile.Title, At: s.At, Terms: []profile.Line{},
		Findings: append([]profile.Finding{}, offer.Fits(order)...), Order: offer.Make(order),
	}
	for _, f := range profile.Fields() {
		if l, known := offer.Get(f); known {
			o.Terms = append(o.Terms, l)
		}
	}
	planned.At = s.At.Add(dayTime)
	return o, with(planned, order), with(planned, o.Order), nil
}

// dayTime is when a day's legs are run: a certificate that begins or ends with the day is judged within it.
const dayTime = 12 * time.Hour

// AsPlanned returns the scenario without what it changes on the external certificate.
func AsPlanned(s scenarios.Scenario) scenarios.Scenario {
	s.Differences, s.Orders, s.Installed = maps.Clone(s.Differences), maps.Clone(s.Orders), maps.Clone(s.Installed)
	for _, key := range s.CertificateKeys() {
		if shared, _ := plan.Shared(key); shared == plan.External {
			delete(s.Differences, key)
			delete(s.Orders, key)
			delete(s.Installed, key)
		}
	}
	return s
}

// with returns the scenario with an external certificate given field by field, the same on every server of a pool.
func with(s scenarios.Scenario, o plan.Order) scenarios.Scenario {
	s = AsPlanned(s)
	if s.Orders == nil {
		s.Orders = map[string]plan.Order{}
	}
	s.Orders[plan.External] = o
	return s
}

// waysOut returns findings with the ways out that the deployment's product can take: two certificates are named only where
// the product can show them, or no source says that it can't.
func (r *run) waysOut(s scenarios.Scenario, findings []profile.Finding) []profile.Finding {
	out := []profile.Finding{}
	for _, f := range findings {
		var ways []string
		for _, way := range f.WayOut {
			if way == profile.TwoCertificates {
				way = r.twoCertificates(s.Topology.Edge.Product)
			}
			if way != "" {
				ways = append(ways, way)
			}
		}
		f.WayOut = ways
		out = append(out, f)
	}
	return out
}

// twoCertificates is the way out of two certificates for a product; empty: it can't take it.
func (r *run) twoCertificates(product string) string {
	p, ok := r.policies.Product(product)
	if !ok {
		return ""
	}
	switch two, known := p.TwoCertificates(); {
	case !known:
		return profile.TwoCertificates + fmt.Sprintf(" (no source says whether %s can be given both)", product)
	case !two.Can:
		return ""
	default:
		return profile.TwoCertificates + fmt.Sprintf(" (%s can: %s; two-certificates: true under edge tries it) [%s]", product, two.Words, two.Source.Ref)
	}
}
