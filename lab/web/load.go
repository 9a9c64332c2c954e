package web

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/scenarios"
)

// writtenFile is what a visitor's scenario is called in messages.
const writtenFile = "scenario.yaml"

// bareStack is the protocol of a product that is a TLS stack without an application: it can stand for any partner.
const bareStack = "tls"

// A Loaded is a State with the scenario that it is about.
type Loaded struct {
	State
	Source   string             // the scenario's text
	Base     scenarios.Scenario // as written, on the State's day
	Written  scenarios.Scenario // and with the certificate that the State's issuer sells
	Scenario scenarios.Scenario // and with the switches as they stand
	Offered  *lab.Offered       // what that issuer sells; nil without one
	Plan     plan.Plan
	Notices  []string // what of the address came to nothing
}

// A notFound is a scenario, product or page that there isn't.
type notFound struct{ message, hint string }

func (e *notFound) Error() string { return e.message }

// load loads the scenario of a State. The error is a *source.Error if a visitor's text is wrong, a *notFound if there is
// no such scenario, or a *badState.
func (s *Site) load(st State) (*Loaded, error) {
	l := &Loaded{State: st, Source: st.Text}
	file := writtenFile
	if st.Text == "" {
		text, err := scenarios.Text(st.Name)
		if err != nil {
			return nil, &notFound{fmt.Sprintf("The catalogue has no scenario %q.", st.Name), source.Suggest(st.Name, scenarios.Names())}
		}
		l.Source, file = string(text), "scenarios/catalogue/"+st.Name+".yaml"
	}
	sc, err := scenarios.Load(file, []byte(l.Source), s.loaderOptions())
	if err != nil {
		return l, err
	}
	if n := len(topology.Legs(sc.Topology)); n > maxLegs {
		return l, &badState{fmt.Sprintf("the scenario has %d legs; the site makes %d at most", n, maxLegs), "edgelab run FILE makes any number."}
	}
	if !st.At.IsZero() {
		sc.At = st.At.Add(noon)
	}
	l.Base, l.Written, l.Plan = sc, sc, plan.For(sc.Topology)
	if st.CA != "" {
		sc.At = sc.At.UTC().Truncate(24 * time.Hour)
		if l.Offered, l.Base, l.Written, err = lab.OrderFrom(sc, s.profiles, st.CA); err != nil {
			return l, &badState{err.Error(), ""}
		}
	}
	if err := l.turn(); err != nil {
		return l, &badState{err.Error(), ""}
	}
	return l, nil
}

// noon is when a day's legs are made: a certificate that begins or ends with the day is judged within it.
const noon = 12 * time.Hour

func (s *Site) loaderOptions() scenarios.Options {
	return scenarios.Options{
		Products: s.policies.Names(),
		Serves: func(product string, protocol topology.Protocol) bool {
			p, ok := s.policies.Product(product)
			return ok && (p.Protocol() == string(protocol) || p.Protocol() == bareStack)
		},
		Base: func(_, name string) ([]byte, string, error) {
			text, err := scenarios.Text(name)
			if errors.Is(err, fs.ErrNotExist) && slices.ContainsFunc([]rune(name), func(r rune) bool { return r == '/' || r == '\\' || r == '.' }) {
				err = errors.New("here a scenario builds on one of the catalogue, not on a file")
			}
			return text, "scenarios/catalogue/" + name + ".yaml", err
		},
	}
}

// turn turns the switches, and takes out of the State what isn't there to be switched.
func (l *Loaded) turn() error {
	known, on, err := l.elements()
	if err != nil {
		return err
	}
	keep := func(list []lab.Element, want bool) []lab.Element {
		return slices.DeleteFunc(slices.Clone(list), func(e lab.Element) bool {
			switch {
			case !slices.Contains(known, e):
				l.Notices = append(l.Notices, fmt.Sprintf("The address switches %s, which this plan doesn't have.", e))
			case slices.Contains(on, e) != want:
			default:
				return false
			}
			return true
		})
	}
	l.Off, l.On = keep(l.Off, true), keep(l.On, false)
	turned, ok, err := lab.Switched(l.Written, l.Off, l.On)
	if err == nil && !ok {
		l.Notices = append(l.Notices, "A certificate's last EKU stays: without the extension every usage would be allowed.")
		l.Off = slices.DeleteFunc(l.Off, func(e lab.Element) bool { return e.Kind == lab.ElementEKU })
		turned, _, err = lab.Switched(l.Written, l.Off, l.On)
	}
	l.Scenario = turned
	return err
}

// elements lists what can be switched, in the order of the plan, and what of it is on as written: the names and usages of
// the plan, those of the certificate as the scenario has it, and both usages in any case.
func (l *Loaded) elements() (known, on []lab.Element, err error) {
	if on, err = lab.Elements(l.Written); err != nil {
		return nil, nil, err
	}
	for _, c := range l.Plan.Certificates {
		add := func(kind, value string) {
			if e := (lab.Element{Certificate: c.Key, Kind: kind, Value: value}); !slices.Contains(known, e) {
				known = append(known, e)
			}
		}
		extra := func(kind string) {
			for _, e := range on {
				if e.Certificate == c.Key && e.Kind == kind {
					add(kind, e.Value)
				}
			}
		}
		for _, n := range c.SANs {
			add(lab.ElementSAN, plan.Name{Kind: n.Kind, Value: n.Value}.String())
		}
		extra(lab.ElementSAN)
		for _, u := range c.EKUs {
			add(lab.ElementEKU, string(u.Usage))
		}
		add(lab.ElementEKU, string(plan.Server))
		add(lab.ElementEKU, string(plan.Client))
		extra(lab.ElementEKU)
	}
	return known, on, nil
}

// run makes the legs of what was loaded, and compares them with those of the scenario as written.
func (s *Site) run(v *visit, l *Loaded) (*Run, error) {
	var base *scenarios.Scenario
	baseState := State{Name: l.Name, Text: l.Text, At: l.At}
	if l.Turned() || l.CA != "" {
		base = &l.Base
		if l.CA != "" { // judged within the day
			baseState.At = l.Base.At.UTC().Truncate(24 * time.Hour)
		}
	}
	baseKey := baseState.URL("")
	if l.CA != "" { // the plan's certificate, valid as long as that issuer's
		baseKey += " planned for " + l.CA
	}
	return s.runs.make(v.r.Context(), v.client, l.URL(""), l.Scenario, baseKey, base)
}
