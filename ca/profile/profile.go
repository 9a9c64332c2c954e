package profile

import (
	"slices"
	"strings"
	"time"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/verdict"
)

// A Field is one thing that a line of a profile says.
type Field string

// The fields, with their values. Each may also be Unknown.
const (
	Trust           Field = "trust"            // TrustBrowsers, TrustOthers, TrustPrivate
	ClientEKU       Field = "client-eku"       // an Availability
	IntermediateEKU Field = "intermediate-eku" // EKU of the issuing CA: "none", "server", "server client"
	Lifetime        Field = "lifetime"         // the most days that a certificate is valid
	SANKinds        Field = "san-kinds"        // kinds of SAN entry, of plan.SANKind, separated by blanks
	CommonName      Field = "common-name"      // "yes", "no": left out, "san": must repeat a SAN
	PublicNames     Field = "public-names"     // "yes": no internal names and no underscores
	Wildcard        Field = "wildcard"         // "yes", "no"
	MaxNames        Field = "max-names"        // the most SAN entries
	Keys            Field = "keys"             // kinds of key, of plan.KeyTypes, separated by blanks
	Hashes          Field = "hashes"           // of plan.Hashes, separated by blanks
	CDP             Field = "cdp"              // "yes", "no", "unless-ocsp": a CDP or an OCSP responder, or short-lived
	OCSP            Field = "ocsp"             // "yes", "no"
	Validation      Field = "validation"       // "dv", "ov"
	Price           Field = "price"            // no source is kept for it, so it is always unknown
)

// Fields returns every field, in the order in which they are printed.
func Fields() []Field {
	return []Field{Trust, ClientEKU, IntermediateEKU, Lifetime, SANKinds, CommonName, PublicNames, Wildcard, MaxNames, Keys, Hashes, CDP, OCSP, Validation, Price}
}

// Unknown is the value of a field that no source settles.
const Unknown = "unknown"

// The values of Trust: whose trust stores hold the root.
const (
	TrustBrowsers = "browsers"    // those of browsers, so their root programmes' rules apply
	TrustOthers   = "non-browser" // others' that the partner must have; browsers' rules don't apply
	TrustPrivate  = "private"     // nobody's unless the partner installs it
)

// An Availability says whether a client EKU can be had.
type Availability string

// The availabilities.
const (
	Default   Availability = "default"   // every certificate has it
	Available Availability = "available" // it can be had; whether without asking isn't known
	OptIn     Availability = "opt-in"    // it can be had by asking
	Gone      Availability = "gone"      // it can't be had
)

// Sold reports whether the client EKU can be had.
func (a Availability) Sold() bool { return a == Default || a == Available || a == OptIn }

// A Line is one fact.
type Line struct {
	Field Field  `yaml:"field" json:"field"`
	Value string `yaml:"value" json:"value"`
	// From is the day from which it holds; empty: for as long as a scenario may be about.
	From Date `yaml:"from" json:"from,omitzero"`
	// Read is the day on which the source was read.
	Read   Date           `yaml:"read" json:"read"`
	Source verdict.Source `yaml:"source" json:"source"`
	Note   string         `yaml:"note" json:"note,omitempty"`
}

// A Date is a day, midnight UTC.
type Date struct{ time.Time }

func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Format(time.DateOnly)
}

// A Profile is one issuer.
type Profile struct {
	ID    string `yaml:"profile" json:"profile"`
	Title string `yaml:"title" json:"title"`
	// Base names the profile whose lines limit this one's: a public CA is bound by the root programmes.
	Base  string `yaml:"base" json:"base,omitempty"`
	Rules bool   `yaml:"rules" json:"-"` // it holds rules for others and sells nothing itself
	Lines []Line `yaml:"lines" json:"lines"`
}

// at returns the line on a field that holds at a date.
func (p Profile) at(f Field, date time.Time) (Line, bool) {
	var best Line
	found := false
	for _, l := range p.Lines {
		if l.Field == f && !l.From.After(date) && (!found || l.From.After(best.From.Time)) {
			best, found = l, true
		}
	}
	return best, found
}

// Profiles are all issuers.
type Profiles struct {
	list  []Profile
	rules map[string]Profile
}

// All returns the issuers in the order of their IDs.
func (p *Profiles) All() []Profile { return slices.Clone(p.list) }

// IDs returns the issuers' IDs in order.
func (p *Profiles) IDs() []string {
	ids := make([]string, len(p.list))
	for i, profile := range p.list {
		ids[i] = profile.ID
	}
	return ids
}

// Get returns the issuer with the given ID.
func (p *Profiles) Get(id string) (Profile, bool) {
	for _, profile := range p.list {
		if profile.ID == id {
			return profile, true
		}
	}
	return Profile{}, false
}

// values are the words that a field's value is made of, for those that have a fixed set; nil: a number, or free text.
func values(f Field) (words []string, several bool) {
	switch f {
	case Trust:
		return []string{TrustBrowsers, TrustOthers, TrustPrivate}, false
	case ClientEKU:
		return []string{string(Default), string(Available), string(OptIn), string(Gone)}, false
	case IntermediateEKU:
		return []string{"none", string(plan.Server), string(plan.Client)}, true
	case SANKinds:
		return []string{string(plan.DNSName), string(plan.URI), string(plan.XMPPAddr), string(plan.SRVName)}, true
	case CommonName:
		return []string{"yes", "no", "san"}, false
	case CDP:
		return []string{"yes", "no", "unless-ocsp"}, false
	case PublicNames, Wildcard, OCSP:
		return []string{"yes", "no"}, false
	case Keys:
		return plan.KeyTypes(), true
	case Hashes:
		return plan.Hashes(), true
	case Validation:
		return []string{"dv", "ov"}, true
	}
	return nil, false
}

func (l Line) words() []string { return strings.Fields(l.Value) }
