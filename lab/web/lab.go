package web

import (
	"slices"

	"github.com/edgelab/edgelab/lab"
)

// A labBody is what the plan's page shows.
type labBody struct {
	*Loaded
	Rows  []Row
	Run   *Run
	Table Table
}

// lab shows a plan with its switches, and makes its legs.
func (s *Site) lab(v *visit) error {
	l, err := v.state()
	if err != nil {
		return err
	}
	if word := v.r.URL.Query().Get("toggle"); word != "" { // a switch's button, without scripts
		e, ok := parseElement(word)
		if !ok {
			return &badState{"the address names no switch", ""}
		}
		st := l.State
		if known, on, err := l.elements(); err == nil && slices.Contains(known, e) {
			st = st.turned(e, slices.Contains(on, e))
		}
		return v.redirect(st.URL("lab") + "#switches")
	}
	rows, err := l.rows()
	if err != nil {
		return err
	}
	run, err := s.run(v, l)
	if err != nil {
		return err
	}
	return v.show(200, "lab", Page{Title: title(l), State: &l.State, About: l, Body: labBody{l, rows, run, table(l, run)}})
}

// turned returns the State with the switch of an element turned; written says whether the scenario has it on.
func (s State) turned(e lab.Element, written bool) State {
	s.Off, s.On = slices.Clone(s.Off), slices.Clone(s.On)
	to := &s.On
	if written {
		to = &s.Off
	}
	if i := slices.Index(*to, e); i >= 0 {
		*to = slices.Delete(*to, i, i+1)
		return s
	}
	*to = append(*to, e)
	s.sort()
	return s
}

// title is a scenario's, for a window's.
func title(l *Loaded) string {
	if l.Scenario.Title != "" {
		return l.Scenario.Title
	}
	if l.Text != "" {
		return "Your scenario"
	}
	return l.Scenario.Name
}
