package web

import (
	"context"
	"fmt"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
)

// A matrixBody is what the matrix's page shows: a row for each element of a certificate, a column for each leg.
type matrixBody struct {
	*Loaded
	Groups  []matrixGroup
	Columns []lab.LegResult
	Rows    []matrixRow
	Unused  []lab.Element
	Made    int
}

// A matrixGroup is a heading above the columns of one partner.
type matrixGroup struct {
	Name string
	Span int
}

type matrixRow struct {
	lab.Mutation
	Word  string
	URL   string // the plan without the element
	Cells []matrixCell
}

type matrixCell struct {
	ID      string
	URL     string
	Verdict verdict.Code
	Tone    report.Tone
	Sign    string
	Broke   bool // by taking the element away
}

// matrix takes each element away in turn and shows which legs that breaks.
func (s *Site) matrix(v *visit) error {
	l, err := v.state()
	if err != nil {
		return err
	}
	elements, err := lab.Elements(l.Scenario)
	if err != nil {
		return err
	}
	legs := topology.Legs(l.Scenario.Topology)
	if n := (len(elements) + 1) * len(legs); n > maxMade {
		return &badState{fmt.Sprintf("%d elements and %d legs make %d runs of a leg; a matrix here makes %d at most", len(elements), len(legs), n, maxMade), "edgelab mutate FILE makes any number."}
	}
	var m *lab.Mutations
	err = s.runs.bounded(v.r.Context(), v.client, func(ctx context.Context) error {
		m, err = lab.Mutate(ctx, l.Scenario, s.runs.options())
		return err
	})
	if err != nil {
		return err
	}
	b := matrixBody{Loaded: l, Columns: m.Baseline.Legs, Unused: m.Redundant(), Made: (len(m.Rows) + 1) * len(legs)}
	for _, leg := range legs {
		name := ownEnds
		if leg.Partner != nil {
			name = leg.Partner.Name
		}
		if n := len(b.Groups); n > 0 && b.Groups[n-1].Name == name {
			b.Groups[n-1].Span++
		} else {
			b.Groups = append(b.Groups, matrixGroup{name, 1})
		}
	}
	for _, row := range m.Rows {
		b.Rows = append(b.Rows, newMatrixRow(l.State, m.Baseline.Legs, row))
	}
	return v.show(200, "matrix", Page{Title: "Matrix: " + title(l), State: &l.State, About: l, Body: b})
}

func newMatrixRow(st State, before []lab.LegResult, m lab.Mutation) matrixRow {
	on := false
	for _, e := range st.On {
		on = on || e == m.Element
	}
	without := st.turned(m.Element, !on)
	row := matrixRow{Mutation: m, Word: elementWord(m.Element), URL: without.URL("lab")}
	broke := map[string]lab.Break{}
	for _, x := range m.Broken {
		broke[x.Leg] = x
	}
	for _, leg := range before {
		c := matrixCell{ID: leg.ID, URL: without.LegURL(leg.ID), Verdict: leg.Verdict}
		if x, ok := broke[leg.ID]; ok {
			c.Verdict, c.Broke = x.Verdict, true
		}
		c.Tone, c.Sign = report.VerdictTone(c.Verdict), report.Sign(c.Verdict)
		row.Cells = append(row.Cells, c)
	}
	return row
}
