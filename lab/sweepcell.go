package lab

import (
	"cmp"
	"slices"

	"github.com/edgelab/edgelab/lab/verdict"
)

// Cells groups the rows of a sweep by product and variation, in the order of Products and Variations.
func (s *Sweep) Cells() [][]SweepCell {
	out := make([][]SweepCell, len(s.Products))
	for i := range out {
		out[i] = make([]SweepCell, len(s.Variations))
	}
	for _, r := range s.Rows {
		l := s.Legs[r.Leg]
		c := &out[l.Product][r.Variation]
		side := &c.In
		if l.FromEdge {
			side = &c.Out
		}
		side.add(r, l.Own)
	}
	return out
}

// A SweepCell is one product with one variation, both directions.
type SweepCell struct{ Out, In SweepSide } // opened by the Edge, by the partner

// A SweepSide is one direction, over all own domains.
type SweepSide struct {
	Legs    int
	Broken  int // don't work
	Unknown int // of these, those that no source settles
	Faults  int // of these, those that the lab couldn't make
	Fell    int // work by a fallback only
	Codes   []verdict.Code
	Domains []string // own domains whose leg doesn't work
}

func (c *SweepSide) add(r SweepRow, own string) {
	c.Legs++
	switch {
	case r.Verdict == verdict.FallbackDialback, r.Verdict == verdict.PlaintextDialback:
		c.Fell++
	case Works(r.Verdict):
		return
	default:
		c.Broken++
		c.Domains = append(c.Domains, own)
		if r.Fault != "" {
			c.Faults++
		} else if r.Verdict == verdict.Unknown {
			c.Unknown++
		}
	}
	if !slices.Contains(c.Codes, r.Verdict) {
		c.Codes = append(c.Codes, r.Verdict)
		slices.SortFunc(c.Codes, cmp.Compare[verdict.Code])
	}
}
