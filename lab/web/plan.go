package web

import (
	"fmt"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/verdict"
)

// A Row is one certificate of the plan, with its switches.
type Row struct {
	plan.Certificate
	Names, Usages []Switch
	Comments      []string
	Subject       string // as it stands on the certificate
}

// A Switch is a name or a usage that can be taken off a certificate or put on.
type Switch struct {
	lab.Element
	ID      string // of its button
	Word    string // in addresses
	Label   string
	Why     string
	Source  verdict.Source
	Written bool // it is on as the scenario has it
	On      bool
	Last    bool // it is the certificate's last EKU and must stay
}

// Turned reports whether the switch stands differently from what the scenario has.
func (w Switch) Turned() bool { return w.On != w.Written }

// rows is the plan as a table of switches.
func (l *Loaded) rows() ([]Row, error) {
	known, written, err := l.elements()
	if err != nil {
		return nil, err
	}
	on, err := lab.Elements(l.Scenario)
	if err != nil {
		return nil, err
	}
	var out []Row
	for _, c := range l.Plan.Certificates {
		o, err := l.Scenario.Order(c.Key)
		if err != nil {
			return nil, err
		}
		row := Row{Certificate: c, Subject: o.Subject}
		for _, comment := range c.Comments() {
			if !strings.HasPrefix(comment, "EKU:") { // they have a column of their own
				row.Comments = append(row.Comments, comment)
			}
		}
		if o.Issuer != plan.IssuerPlanned {
			row.Comments = append(row.Comments, "In this scenario its issuer is "+o.Issuer+".")
		}
		for _, e := range known {
			if e.Certificate != c.Key {
				continue
			}
			w := Switch{Element: e, ID: "switch-" + strings.NewReplacer(":", "-", " ", "-", "*", "any").Replace(elementWord(e)), Word: elementWord(e),
				Label: e.Value, Written: slices.Contains(written, e), On: slices.Contains(on, e)}
			w.explain(c)
			if e.Kind == lab.ElementSAN {
				row.Names = append(row.Names, w)
			} else {
				row.Usages = append(row.Usages, w)
			}
		}
		if i := slices.IndexFunc(row.Usages, func(w Switch) bool { return w.On }); i >= 0 {
			row.Usages[i].Last = !slices.ContainsFunc(row.Usages[i+1:], func(w Switch) bool { return w.On })
		}
		out = append(out, row)
	}
	return out, nil
}

// explain says why the plan has the element.
func (w *Switch) explain(c plan.Certificate) {
	for _, n := range c.SANs {
		if w.Kind == lab.ElementSAN && (plan.Name{Kind: n.Kind, Value: n.Value}).String() == w.Value {
			w.Label, w.Why, w.Source = n.Label(), n.Reason, n.Source
			return
		}
	}
	for _, u := range c.EKUs {
		if w.Kind == lab.ElementEKU && string(u.Usage) == w.Value {
			w.Why, w.Source = u.Reason, u.Source
			return
		}
	}
	w.Why = "not in the plan"
}

// Changed says what is switched, for people; empty: nothing is.
func (l *Loaded) Changed() string {
	var all []string
	for _, list := range []struct {
		word string
		of   []lab.Element
	}{{"without", l.Off}, {"with", l.On}} {
		for _, e := range list.of {
			what := e.Value
			if e.Kind == lab.ElementEKU {
				what = "the " + e.Value + " EKU"
			}
			if e.Certificate != plan.External {
				what += fmt.Sprintf(" (%s)", e.Certificate)
			}
			all = append(all, list.word+" "+what)
		}
	}
	return strings.Join(all, ", ")
}
