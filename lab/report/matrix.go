package report

import (
	"slices"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
)

// A matrix sets scenarios against legs.
type matrix struct {
	Kinds []matrixKind // of the columns, in their order
	Legs  []string     // the columns
	Rows  []matrixRow
	Wide  bool // there are more columns than a screen has room for: the strips are shown instead
}

// maxColumns is how many columns of legs fit beside the names of scenarios.
const maxColumns = 30

// A matrixKind is a heading above the columns of one kind of leg.
type matrixKind struct {
	Kind string
	Span int
}

type matrixRow struct {
	Scenario *pageScenario
	Cells    []*pageLeg // one for each column; nil: the scenario has no such leg
	Strips   [][]strip  // for each kind the legs of the scenario, partner by partner
}

// A strip is what one partner of the Edge has of legs in one scenario.
type strip struct {
	Name string
	Legs []*pageLeg
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
	slices.SortStableFunc(kinds, func(a, b string) int { return kindRank(a) - kindRank(b) })
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
		for _, kind := range m.Kinds {
			row.Strips = append(row.Strips, strips(sc, kind.Kind))
		}
		m.Rows = append(m.Rows, row)
	}
	m.Wide = len(m.Legs) > maxColumns
	return m
}

// kindRank sorts kinds of legs: what a report is about comes first.
func kindRank(kind string) int {
	switch topology.LegKind(kind) {
	case topology.SIPFederation:
		return 0
	case topology.XMPPFederation:
		return 1
	}
	return 2
}

// strips groups a scenario's legs of one kind by the one that isn't the Edge.
func strips(sc *pageScenario, kind string) []strip {
	var out []strip
	for _, l := range sc.Legs {
		if l.Kind != kind {
			continue
		}
		name := "" // of the other kinds there is one: the kind says who
		switch {
		case kindRank(kind) > kindRank(string(topology.XMPPFederation)):
		case l.Outgoing():
			name = l.Acceptor
		default:
			name = l.Initiator
		}
		i := slices.IndexFunc(out, func(s strip) bool { return s.Name == name })
		if i < 0 {
			i = len(out)
			out = append(out, strip{Name: name})
		}
		out[i].Legs = append(out[i].Legs, l)
	}
	return out
}

// Outgoing reports whether it is the Edge that opens the connection.
func (l pageLeg) Outgoing() bool { return l.Initiator == topology.ActorEdge }

// Arrow points away from the Edge on a leg that it opens, and towards it on the others.
func (l pageLeg) Arrow() string {
	if l.Outgoing() {
		return "→"
	}
	return "←"
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
