package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
)

// The marks of a sweep's matrix.
const (
	markWorks   = "."
	markOut     = ">" // the leg that the Edge opens doesn't work
	markIn      = "<" // the leg that the product opens doesn't work
	markBoth    = "x"
	markFell    = "~"
	markUnknown = "?"
	markFault   = "!"
	markUnmade  = " "
)

const sweepLegend = `.  works in both directions               ~  works, but by dialback: the certificate isn't trusted
>  breaks when the Edge connects           ?  hinges on a rule that no source settles
<  breaks when the product connects        !  the lab couldn't make it
x  breaks in both directions`

// mark sums a cell up. What breaks for one own domain counts as broken.
func mark(c lab.SweepCell) string {
	out, in := c.Out, c.In
	switch {
	case out.Legs+in.Legs == 0:
		return markUnmade
	case out.Faults+in.Faults > 0:
		return markFault
	case out.Broken > 0 && in.Broken > 0 && out.Unknown+in.Unknown < out.Broken+in.Broken:
		return markBoth
	case out.Unknown+in.Unknown > 0:
		return markUnknown
	case out.Broken > 0:
		return markOut
	case in.Broken > 0:
		return markIn
	case out.Fell+in.Fell > 0:
		return markFell
	}
	return markWorks
}

// SweepText tells which products break with which variation: a matrix, and below it, for each variation, what no longer
// works and what it mends. The text ends in a line break.
func SweepText(s *lab.Sweep, o Options) string {
	t := teller{style: style{o.Colour}, margin: "  "}
	cells := s.Cells()
	fmt.Fprintf(&t, "%s on %s: %s, %s of the external certificate, both directions\n\n", t.style.bold(s.Name), date(s.At),
		count(len(s.Products), "product"), count(len(s.Variations), "variation"))
	t.sweepMatrix(s, cells)
	for v, variation := range s.Variations {
		if variation.Name != lab.Planned {
			t.sweepChange(s, v)
		} else {
			t.sweepPlanned(s, v)
		}
	}
	fmt.Fprintf(&t, "%s\n", t.style.bold(SweepClosing(s)))
	return t.String()
}

// SweepClosing is the last line of a sweep's text.
func SweepClosing(s *lab.Sweep) string {
	works := 0
	for _, r := range s.Rows {
		if lab.Works(r.Verdict) {
			works++
		}
	}
	line := fmt.Sprintf("%s: %d work, %d don't", count(len(s.Rows), "leg"), works, len(s.Rows)-works)
	if n := s.Faults(); n > 0 {
		line += fmt.Sprintf(", %d of these because the lab failed", n)
	}
	if !s.Complete {
		line = fmt.Sprintf("Incomplete: %d of %d legs were made. ", len(s.Rows), s.Total()) + line
	}
	return line + took(s.Duration)
}

func (t *teller) sweepMatrix(s *lab.Sweep, cells [][]lab.SweepCell) {
	width := 0
	for _, p := range s.Products {
		width = max(width, len(p.ID))
	}
	head := strings.Repeat(" ", width+6)
	for v := range s.Variations {
		head += fmt.Sprintf("%3d", v+1)
	}
	fmt.Fprintln(t, t.style.dim(head))
	for p, product := range s.Products {
		line := fmt.Sprintf("%-*s  %-4s", width, product.ID, product.Protocol)
		for v := range s.Variations {
			m := mark(cells[p][v])
			text := "  " + m
			switch m {
			case markWorks, markUnmade:
				text = t.style.dim(text)
			case markFell, markUnknown:
				text = t.style.bold(text)
			default:
				text = t.style.bad(text)
			}
			line += text
		}
		fmt.Fprintln(t, strings.TrimRight(line, " "))
	}
	t.WriteString("\n")
	for v, variation := range s.Variations {
		fmt.Fprintf(t, "%3d  %s\n", v+1, variation.Words)
	}
	fmt.Fprintf(t, "\n%s\n\n", sweepLegend)
}

// A sweepGroup is legs of one direction that share a verdict.
type sweepGroup struct {
	fromEdge bool
	code     verdict.Code
	products []int
	legs     int
}

// grouped sums rows up by direction and verdict, the legs that the Edge opens first.
func grouped(s *lab.Sweep, rows []lab.SweepRow) []sweepGroup {
	var out []sweepGroup
	for _, r := range rows {
		l := s.Legs[r.Leg]
		i := slices.IndexFunc(out, func(g sweepGroup) bool { return g.fromEdge == l.FromEdge && g.code == r.Verdict })
		if i < 0 {
			i, out = len(out), append(out, sweepGroup{fromEdge: l.FromEdge, code: r.Verdict})
		}
		out[i].legs++
		if !slices.Contains(out[i].products, l.Product) {
			out[i].products = append(out[i].products, l.Product)
		}
	}
	slices.SortStableFunc(out, func(a, b sweepGroup) int {
		if a.fromEdge != b.fromEdge {
			if a.fromEdge {
				return -1
			}
			return 1
		}
		return strings.Compare(string(a.code), string(b.code))
	})
	return out
}

func (t *teller) sweepGroups(s *lab.Sweep, rows []lab.SweepRow) {
	for _, g := range grouped(s, rows) {
		var names []string
		for _, p := range g.products {
			names = append(names, s.Products[p].ID)
		}
		who := "the product connects"
		if g.fromEdge {
			who = "the Edge connects"
		}
		for i, line := range wrap(strings.Join(names, ", "), fieldWidth) {
			if i > 0 {
				who = ""
			}
			code := ""
			if i == 0 {
				code = string(g.code)
			}
			fmt.Fprintf(t, "  %-20s  %s  %s\n", who, t.style.bad(fmt.Sprintf("%-20s", code)), line)
		}
	}
	t.WriteString("\n")
}

// sweepPlanned tells what doesn't work with the certificate as it is planned.
func (t *teller) sweepPlanned(s *lab.Sweep, v int) {
	var rows []lab.SweepRow
	for _, r := range s.Rows {
		if r.Variation == v && !lab.Works(r.Verdict) {
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(t, "%s %s:\n", t.style.bold("As planned"), dont(len(rows)))
	t.sweepGroups(s, rows)
}

// sweepChange tells what a variation breaks that works as planned, and what it mends.
func (t *teller) sweepChange(s *lab.Sweep, v int) {
	planned := map[int]verdict.Code{}
	for _, r := range s.Rows {
		if s.Variations[r.Variation].Name == lab.Planned {
			planned[r.Leg] = r.Verdict
		}
	}
	var breaks []lab.SweepRow
	mends := map[int]bool{}
	made := 0
	for _, r := range s.Rows {
		if r.Variation != v {
			continue
		}
		made++
		before, ok := planned[r.Leg]
		switch {
		case !ok:
		case lab.Works(before) && !lab.Works(r.Verdict):
			breaks = append(breaks, r)
		case !lab.Works(before) && lab.Works(r.Verdict):
			mends[s.Legs[r.Leg].Product] = true
		}
	}
	words := strings.ToUpper(s.Variations[v].Words[:1]) + s.Variations[v].Words[1:]
	if len(breaks) > 0 {
		fmt.Fprintf(t, "%s %s:\n", t.style.bold(words), breakCount(len(breaks)))
		t.sweepGroups(s, breaks)
	} else if made > 0 {
		fmt.Fprintf(t, "%s %s\n\n", t.style.bold(words), t.style.good("nothing breaks."))
	}
	if len(mends) > 0 {
		var names []string
		for p, product := range s.Products {
			if mends[p] {
				names = append(names, product.ID)
			}
		}
		fmt.Fprintf(t, "%s %s:\n", t.style.bold(words), t.style.good("legs work that don't as planned"))
		for _, line := range wrap(strings.Join(names, ", "), fieldWidth) {
			fmt.Fprintf(t, "  %s\n", line)
		}
		t.WriteString("\n")
	}
}

// SweepMarkdown writes the matrix of a sweep as a table for a job summary.
func SweepMarkdown(w io.Writer, s *lab.Sweep) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s: every product, every variation of the external certificate\n\n| product |", md(s.Name))
	for _, v := range s.Variations {
		fmt.Fprintf(&b, " %s |", md(v.Words))
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(s.Variations)) + "\n")
	for p, row := range s.Cells() {
		fmt.Fprintf(&b, "| %s |", md(s.Products[p].ID))
		for _, c := range row {
			fmt.Fprintf(&b, " %s |", cellWords(c))
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "\n→ the Edge connects, ← the product connects. %s\n", md(SweepClosing(s)))
	_, err := io.WriteString(w, b.String())
	return err
}

func cellWords(c lab.SweepCell) string {
	var parts []string
	for _, side := range []struct {
		arrow string
		lab.SweepSide
	}{{"→", c.Out}, {"←", c.In}} {
		if len(side.Codes) > 0 {
			parts = append(parts, side.arrow+" "+strings.Join(codeWords(side.Codes), ", "))
		}
	}
	switch {
	case len(parts) > 0:
		return strings.Join(parts, "<br>")
	case c.Out.Legs+c.In.Legs == 0:
		return ""
	}
	return "ok"
}

func codeWords(codes []verdict.Code) []string {
	var out []string
	for _, c := range codes {
		out = append(out, string(c))
	}
	return out
}

// SweepCSV writes a line for each leg, under a line of headings.
func SweepCSV(w io.Writer, s *lab.Sweep) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{"variation", "product", "protocol", "initiator", "own-domain", "verdict", "works", "reason"}); err != nil {
		return err
	}
	for _, r := range s.Rows {
		l := s.Legs[r.Leg]
		p := s.Products[l.Product]
		if err := c.Write([]string{
			s.Variations[r.Variation].Name, p.ID, string(p.Protocol), initiator(s, l), l.Own, string(r.Verdict),
			fmt.Sprint(lab.Works(r.Verdict)), r.Reason + r.Fault,
		}); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

func initiator(s *lab.Sweep, l lab.SweepLeg) string {
	if l.FromEdge {
		return topology.ActorEdge
	}
	return s.Products[l.Product].ID
}
