package web

import (
	"fmt"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
)

// A Cell is one leg in a table.
type Cell struct {
	lab.LegResult
	Anchor string
	URL    string
	Tone   report.Tone
	Sign   string
	Works  bool
	Before verdict.Code // what came of it without what the visitor changed; empty if that is the same
	Broke  bool         // it worked before
	Mended bool
}

// A LegRow is what goes both ways between the deployment and somebody in the name of one own domain, with one server.
type LegRow struct {
	Name    string // the own domain, or who is at the other end of an own leg
	Node    string // of a pool
	Out, In *Cell  // opened by the deployment, and by the other
}

// A Group is the legs with one partner, or with the deployment's own ends.
type Group struct {
	Name, What string
	Rows       []LegRow
	Broken     int
}

// A Table is all legs of a run.
type Table struct {
	Groups        []Group // partners first, then the deployment's own ends together
	Cells         []*Cell // in the run's order
	Broken        []*Cell
	Broke, Mended []*Cell // by what the visitor changed
	Total         int
	Working       int
	Differ        int // not as the scenario expects, if nothing was changed
}

// table lays out a run's legs.
func table(l *Loaded, run *Run) Table {
	t := Table{Total: len(run.Legs)}
	for i, leg := range topology.Legs(l.Scenario.Topology) {
		if i >= len(run.Legs) {
			break
		}
		c := newCell(l.State, run, run.Legs[i])
		t.Cells = append(t.Cells, c)
		switch {
		case c.Works:
			t.Working++
		default:
			t.Broken = append(t.Broken, c)
		}
		switch {
		case c.Broke:
			t.Broke = append(t.Broke, c)
		case c.Mended:
			t.Mended = append(t.Mended, c)
		}
		if !c.OK {
			t.Differ++
		}
		name, what, row := ownEnds, "users, next hop, MRAS", actorWords(leg)
		if leg.Partner != nil {
			name, what, row = leg.Partner.Name, fmt.Sprintf("%s, %s", strings.ToUpper(string(leg.Partner.Protocol)), leg.Partner.Product), leg.Own
		}
		if n := len(t.Groups); n == 0 || t.Groups[n-1].Name != name {
			t.Groups = append(t.Groups, Group{Name: name, What: what})
		}
		t.Groups[len(t.Groups)-1].add(leg, row, c)
	}
	return t
}

// ownEnds is what the group of the deployment's own legs is called.
const ownEnds = "The deployment's own"

func (g *Group) add(leg topology.Leg, row string, c *Cell) {
	if !c.Works {
		g.Broken++
	}
	out := leg.Initiator == topology.ActorEdge
	i := slices.IndexFunc(g.Rows, func(r LegRow) bool {
		return r.Name == row && r.Node == leg.Node && (out && r.Out == nil || !out && r.In == nil)
	})
	if i < 0 {
		i = len(g.Rows)
		g.Rows = append(g.Rows, LegRow{Name: row, Node: leg.Node})
	}
	g.Rows[i].put(out, c)
}

func (r *LegRow) put(out bool, c *Cell) {
	if out {
		r.Out = c
	} else {
		r.In = c
	}
}

// actorWords names who is at the other end of one of the deployment's own legs.
func actorWords(leg topology.Leg) string {
	switch leg.Kind {
	case topology.RemoteUser:
		return "users of " + leg.Own
	case topology.WebConference:
		return "web conferences"
	case topology.NextHopSIP:
		return "next hop"
	case topology.MRASRequest:
		return "MRAS"
	}
	return string(leg.Kind)
}

func newCell(st State, run *Run, leg lab.LegResult) *Cell {
	c := &Cell{
		LegResult: leg, Anchor: "leg-" + idOf(leg.ID), URL: st.LegURL(leg.ID),
		Tone: report.VerdictTone(leg.Verdict), Sign: report.Sign(leg.Verdict), Works: lab.Works(leg.Verdict),
	}
	if before, ok := run.Before[leg.ID]; ok && before != leg.Verdict {
		c.Before = before
		c.Broke = lab.Works(before) && !c.Works
		c.Mended = !lab.Works(before) && c.Works
	}
	return c
}

// idOf turns a name into an element's ID: words and hyphens.
func idOf(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, strings.ReplaceAll(name, " -> ", "-to-"))
}

// Said is the outcome in a sentence, for the top of the page and for those who listen to it.
func (t Table) Said() string {
	var b strings.Builder
	switch n := len(t.Broken); n {
	case 0:
		fmt.Fprintf(&b, "All %d legs work.", t.Total)
	case t.Total:
		fmt.Fprintf(&b, "None of the %d legs works.", t.Total)
	default:
		fmt.Fprintf(&b, "%d of %d legs %s broken.", n, t.Total, plural(n, "is", "are"))
	}
	switch broke, mended := len(t.Broke), len(t.Mended); {
	case broke > 0 && mended > 0:
		fmt.Fprintf(&b, " The change broke %d and mended %d.", broke, mended)
	case broke > 0:
		fmt.Fprintf(&b, " The change broke %d.", broke)
	case mended > 0:
		fmt.Fprintf(&b, " The change mended %d.", mended)
	}
	return b.String()
}

// Names names the legs that are broken, or those that the change broke, for those who listen.
func (t Table) Names() string {
	switch {
	case len(t.Broke) > 0:
		return "Broken by the change: " + list(t.Broke) + "."
	case len(t.Broken) > 0:
		return "Broken: " + list(t.Broken) + "."
	}
	return ""
}

// list names legs, up to a few.
func list(cells []*Cell) string {
	const most = 4
	var names []string
	for i, c := range cells {
		if i == most {
			names = append(names, fmt.Sprintf("%d more", len(cells)-most))
			break
		}
		names = append(names, fmt.Sprintf("%s (%s)", c.ID, c.Verdict))
	}
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
