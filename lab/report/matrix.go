package report

import (
	"slices"

	"github.com/edgelab/edgelab/lab/verdict"
)

// A matrix sets scenarios against legs.
type matrix struct {
	Kinds []matrixKind // of the columns, in their order
	Legs  []string     // the columns
	Rows  []matrixRow
}

// A matrixKind is a heading above the columns of one kind of leg.
type matrixKind struct {
	Kind string
	Span int
}

type matrixRow struct {
	Scenario *pageScenario
	Cells    []*pageLeg // one for each column; nil: the scenario has no such leg
}

// newMatrix returns the matrix of some scenarios. Columns of one kind stand together, those that most scenarios have
// first, and otherwise in the order in which the legs first occur.
func newMatrix(scenarios []*pageScenario) matrix {
	var m matrix
	columns := map[string][]string{}
	used := map[string]int{}
	var kinds []string
	for _, sc := range scenarios {
		for _, l := range sc.Legs {
			if !slices.Contains(kinds, l.Kind) {
				kinds = append(kinds, l.Kind)
			}
			key := l.Kind + "\x00" + l.ID
			if used[key]++; used[key] == 1 {
				columns[l.Kind] = append(columns[l.Kind], l.ID)
			}
		}
	}
	index := map[string]int{}
	for _, kind := range kinds {
		slices.SortStableFunc(columns[kind], func(a, b string) int { return used[kind+"\x00"+b] - used[kind+"\x00"+a] })
		m.Kinds = append(m.Kinds, matrixKind{kind, len(columns[kind])})
		for _, id := range columns[kind] {
			index[kind+"\x00"+id] = len(m.Legs)
			m.Legs = append(m.Legs, id)
		}
	}
	for _, sc := range scenarios {
		row := matrixRow{Scenario: sc, Cells: make([]*pageLeg, len(m.Legs))}
		for _, l := range sc.Legs {
			row.Cells[index[l.Kind+"\x00"+l.ID]] = l
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

// VerdictTone says what a verdict means for the two who want to talk.
func VerdictTone(c verdict.Code) Tone {
	switch c {
	case verdict.Trusted:
		return Fine
	case verdict.FallbackDialback, verdict.PlaintextDialback, verdict.Unknown, verdict.Inconclusive:
		return Doubt
	}
	return Bad
}

// Sign is a verdict as one character.
func Sign(c verdict.Code) string {
	switch c {
	case verdict.Trusted:
		return "✓"
	case verdict.FallbackDialback, verdict.PlaintextDialback:
		return "↩"
	case verdict.Unknown, verdict.Inconclusive:
		return "?"
	}
	return "✗"
}
