package web

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/edgelab/edgelab/ca/profile"
	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/plan"
)

// A State is what a visitor chose, and all that a page's address holds.
type State struct {
	Name string        // of a scenario of the catalogue, if Text is empty
	Text string        // of a scenario that the visitor wrote
	Off  []lab.Element // switched off, though the scenario has it on its certificate; sorted
	On   []lab.Element // switched on, though it hasn't; sorted
	At   time.Time     // a day, instead of the scenario's; zero: the scenario's
	CA   string        // the issuer that the external certificate is bought from on that day; empty: as the scenario has it
}

// Bounds on what an address can hold.
const (
	maxText     = 128 << 10 // bytes of a scenario
	maxPacked   = 48 << 10  // bytes of its form in an address
	maxSwitches = 200
)

// A badState is an address that says nothing sound.
type badState struct{ message, hint string }

func (e *badState) Error() string { return e.message }

// parseState reads a State from an address. The error is a *badState.
func parseState(q url.Values, profiles *profile.Profiles) (State, error) {
	s := State{Name: q.Get("s"), CA: q.Get("ca")}
	if packed := q.Get("t"); packed != "" {
		var err error
		if s.Text, err = unpack(packed); err != nil {
			return State{}, &badState{"the address holds a scenario that can't be read: " + err.Error(), "Was the link cut off? Ask for it once more."}
		}
		s.Name = ""
	}
	if len(q["off"])+len(q["on"]) > maxSwitches {
		return State{}, &badState{fmt.Sprintf("the address switches more than %d things", maxSwitches), ""}
	}
	for _, list := range []struct {
		key string
		to  *[]lab.Element
	}{{"off", &s.Off}, {"on", &s.On}} {
		for _, word := range q[list.key] {
			e, ok := parseElement(word)
			if !ok {
				return State{}, &badState{fmt.Sprintf("%s=%s names nothing on a certificate", list.key, word), "It looks like external.san.sip.contoso.com or external.eku.client."}
			}
			*list.to = append(*list.to, e)
		}
	}
	if at := q.Get("at"); at != "" {
		day, err := time.Parse(time.DateOnly, at)
		if err != nil || day.Year() < firstYear || day.Year() > lastYear {
			return State{}, &badState{fmt.Sprintf("at=%s is no day between %d and %d", at, firstYear, lastYear), "A day looks like 2027-03-15."}
		}
		s.At = day
	}
	if s.CA != "" {
		if _, ok := profiles.Get(s.CA); !ok {
			return State{}, &badState{fmt.Sprintf("no issuer is called %q", s.CA), "There are " + strings.Join(profiles.IDs(), ", ") + "."}
		}
	}
	s.sort()
	return s, nil
}

// Years that the site's clock can be set to.
const (
	firstYear = 2000
	lastYear  = 2099
)

func (s *State) sort() {
	for _, list := range []*[]lab.Element{&s.Off, &s.On} {
		slices.SortFunc(*list, func(a, b lab.Element) int { return cmp.Compare(elementWord(a), elementWord(b)) })
		*list = slices.Compact(*list)
	}
}

// elementWord is an element in an address: external.san.sip.contoso.com.
func elementWord(e lab.Element) string { return e.Certificate + "." + e.Kind + "." + e.Value }

func parseElement(word string) (lab.Element, bool) {
	part := strings.SplitN(word, ".", 3)
	if len(part) != 3 || part[2] == "" || part[0] != plan.External && part[0] != plan.Internal || part[1] != lab.ElementSAN && part[1] != lab.ElementEKU {
		return lab.Element{}, false
	}
	return lab.Element{Certificate: part[0], Kind: part[1], Value: part[2]}, true
}

// values is the State in the form of an address's query; two States that are the same have the same one.
func (s State) values() url.Values {
	q := url.Values{}
	set := func(key, value string) {
		if value != "" {
			q.Set(key, value)
		}
	}
	set("s", s.Name)
	if s.Text != "" {
		q.Del("s")
		q.Set("t", pack(s.Text))
	}
	for _, e := range s.Off {
		q.Add("off", elementWord(e))
	}
	for _, e := range s.On {
		q.Add("on", elementWord(e))
	}
	if !s.At.IsZero() {
		q.Set("at", s.At.Format(time.DateOnly))
	}
	set("ca", s.CA)
	return q
}

// URL is the address of a view in this State.
func (s State) URL(view string) string {
	q := s.values().Encode()
	if q == "" {
		return "/" + view
	}
	return "/" + view + "?" + q
}

// LegURL is the address of a leg's page.
func (s State) LegURL(id string) string {
	q := s.values()
	q.Set("leg", id)
	return "/leg?" + q.Encode()
}

// Plain is the State with no switch turned.
func (s State) Plain() State { return State{Name: s.Name, Text: s.Text, At: s.At, CA: s.CA} }

// AsWritten is the State with nothing changed of the scenario.
func (s State) AsWritten() State { return State{Name: s.Name, Text: s.Text} }

// Moved reports whether the State differs from what the scenario says.
func (s State) Moved() bool { return s.Turned() || !s.At.IsZero() || s.CA != "" }

// Turned reports whether a switch is turned.
func (s State) Turned() bool { return len(s.Off)+len(s.On) > 0 }

// Fields are the State's parts for a form, but for those that the form itself sets.
func (s State) Fields(own ...string) []Field {
	var out []Field
	q := s.values()
	for _, key := range []string{"s", "t", "off", "on", "at", "ca"} {
		if slices.Contains(own, key) {
			continue
		}
		for _, v := range q[key] {
			out = append(out, Field{key, v})
		}
	}
	return out
}

// A Field is a hidden field of a form.
type Field struct{ Name, Value string }
