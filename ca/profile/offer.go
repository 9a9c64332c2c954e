package profile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/source"
)

// An Offer is what one issuer sells at one date.
type Offer struct {
	Profile Profile
	Date    time.Time
	all     *Profiles
}

// At returns an issuer's offer at a date. The error names the nearest ID.
func (p *Profiles) At(id string, date time.Time) (Offer, error) {
	profile, ok := p.Get(id)
	if !ok {
		return Offer{}, fmt.Errorf("no CA profile is called %q; %s", id, source.Suggest(id, p.IDs()))
	}
	return Offer{Profile: profile, Date: date, all: p}, nil
}

// Get returns the line on a field that holds: the issuer's own or its base's, whichever allows less. known is false if
// there is none, or if it says that it isn't known; a line that says so comes with its note.
func (o Offer) Get(f Field) (l Line, known bool) {
	own, ok := o.Profile.at(f, o.Date)
	if base, has := o.all.rules[o.Profile.Base]; has {
		if limit, bound := base.at(f, o.Date); bound && (!ok || stricter(limit, own)) {
			own, ok = limit, true
		}
	}
	if !ok {
		return Line{Field: f, Value: Unknown}, false
	}
	return own, own.Value != Unknown
}

// stricter reports whether a allows less than b. Where both allow the same, b, the issuer's own, is told.
func stricter(a, b Line) bool {
	switch a.Field {
	case Lifetime, MaxNames:
		return b.Value == Unknown || number(a) < number(b)
	case ClientEKU:
		return Availability(a.Value) == Gone && Availability(b.Value) != Gone
	case Wildcard, OCSP:
		return a.Value == "no" && b.Value != "no"
	case PublicNames:
		return a.Value == "yes" && b.Value != "yes"
	}
	return false
}

// number is the value of a field that is one; lines are checked when they are read.
func number(l Line) int {
	n, err := strconv.Atoi(l.Value)
	if err != nil {
		return 0
	}
	return n
}

// Value returns a field's value, or Unknown.
func (o Offer) Value(f Field) string {
	l, _ := o.Get(f)
	return l.Value
}

// ClientEKU says whether the client EKU can be had; empty: it isn't known.
func (o Offer) ClientEKU() Availability {
	l, known := o.Get(ClientEKU)
	if !known {
		return ""
	}
	return Availability(l.Value)
}

// Days returns the most days that a certificate is valid.
func (o Offer) Days() (days int, known bool) {
	l, known := o.Get(Lifetime)
	return number(l), known
}

// Ends returns the line that takes the client EKU away next, if one is known: the first day on which a certificate
// can't have it any more.
func (o Offer) Ends() (Line, bool) {
	if !o.ClientEKU().Sold() {
		return Line{}, false
	}
	for _, c := range o.all.changes(o.Profile, o.Date, time.Time{}) {
		if c.Field == ClientEKU && Availability(c.After.Value) == Gone {
			return c.After, true
		}
	}
	return Line{}, false
}

// Selling returns the issuers that sell the client EKU at a date.
func (p *Profiles) Selling(date time.Time) []Profile {
	return slices.DeleteFunc(p.All(), func(q Profile) bool {
		return !Offer{Profile: q, Date: date, all: p}.ClientEKU().Sold()
	})
}

// A Change is a day on which an issuer's offer changes.
type Change struct {
	Date    Date   `json:"date"`
	Profile string `json:"profile"`
	Field   Field  `json:"field"`
	Before  Line   `json:"before"` // Value Unknown if nothing was known
	After   Line   `json:"after"`
}

func (c Change) String() string {
	return fmt.Sprintf("%s: %s: %s: %s -> %s [%s]", c.Date, c.Profile, c.Field, c.Before.Value, c.After.Value, c.After.Source)
}

// Changes returns what changes in an issuer's offer after from and up to until, in order. A zero until is no end.
func (p *Profiles) Changes(id string, from, until time.Time) ([]Change, error) {
	o, err := p.At(id, from)
	if err != nil {
		return nil, err
	}
	return p.changes(o.Profile, from, until), nil
}

func (p *Profiles) changes(profile Profile, from, until time.Time) []Change {
	var days []time.Time
	for _, l := range slices.Concat(profile.Lines, p.rules[profile.Base].Lines) {
		if l.From.After(from) && (until.IsZero() || !l.From.After(until)) {
			days = append(days, l.From.Time)
		}
	}
	slices.SortFunc(days, time.Time.Compare)
	days = slices.CompactFunc(days, time.Time.Equal)
	var all []Change
	for _, day := range days {
		before := Offer{Profile: profile, Date: day.Add(-time.Second), all: p}
		after := Offer{Profile: profile, Date: day, all: p}
		for _, f := range Fields() {
			b, _ := before.Get(f)
			a, _ := after.Get(f)
			if a.Value != b.Value {
				all = append(all, Change{Date: Date{day}, Profile: profile.ID, Field: f, Before: b, After: a})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Change) int { return cmp.Compare(a.Date.Unix(), b.Date.Unix()) })
	return all
}

// Make returns the certificate that the issuer would make of an order that it doesn't refuse as a whole: without what
// it doesn't sell, no longer than it allows, from its own intermediate. What isn't known about the issuer is left as
// it was ordered. Fits says what was lost, and what it would refuse.
func (o Offer) Make(order plan.Order) plan.Order {
	order.SANs = slices.Clone(order.SANs)
	order.EKUs = slices.Clone(order.EKUs)
	order.IntermediateEKU = slices.Clone(order.IntermediateEKU)
	public := o.Value(Trust) == TrustBrowsers
	if o.ClientEKU() == Gone {
		order.EKUs = slices.DeleteFunc(order.EKUs, isClient)
	}
	if public {
		order.EKUs = slices.DeleteFunc(order.EKUs, isAny)
		if !slices.ContainsFunc(order.EKUs, isServer) {
			order.EKUs = append([]plan.Usage{plan.Server}, order.EKUs...)
		}
	}
	if l, known := o.Get(SANKinds); known {
		order.SANs = slices.DeleteFunc(order.SANs, func(n plan.Name) bool { return !slices.Contains(l.words(), string(n.Kind)) })
	}
	if o.Value(Wildcard) == "no" {
		order.SANs = slices.DeleteFunc(order.SANs, isWildcard)
	}
	if o.Value(CommonName) == "no" {
		order.Subject = ""
	}
	if days, known := o.Days(); known {
		// Both ends belong to the validity period (RFC 5280 §4.1.2.5).
		if last := order.NotBefore.Add(time.Duration(days)*24*time.Hour - time.Second); order.NotAfter.After(last) {
			order.NotAfter = last
		}
	}
	if l, known := o.Get(IntermediateEKU); known {
		order.IntermediateEKU = nil
		for _, w := range l.words() {
			if w != "none" {
				order.IntermediateEKU = append(order.IntermediateEKU, plan.Usage(w))
			}
		}
	}
	order.NoCDP = order.NoCDP || o.Value(CDP) == "no"
	return order
}
