package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
)

// The JSON form of a sweep; json.md names every key.
type (
	sweepHead struct {
		Version    int                `json:"version"`
		Name       string             `json:"name"`
		Title      string             `json:"title,omitempty"`
		File       string             `json:"file"`
		At         time.Time          `json:"at"`
		Seed       uint64             `json:"seed"`
		Question   string             `json:"question"`
		Complete   bool               `json:"complete"`
		Duration   time.Duration      `json:"duration"`
		Products   []lab.SweepProduct `json:"products"`
		Variations []lab.Variation    `json:"variations"`
		Legs       []sweepLeg         `json:"legs"`
	}
	sweepLeg struct {
		ID        string `json:"id"`
		Product   string `json:"product"`
		Initiator string `json:"initiator"`
		Own       string `json:"own"`
	}
	sweepRow struct {
		Variation string          `json:"variation"`
		Leg       string          `json:"leg"`
		Verdict   verdict.Code    `json:"verdict"`
		Works     bool            `json:"works"`
		Reason    string          `json:"reason,omitempty"`
		Fault     string          `json:"fault,omitempty"`
		Evidence  []verdict.Event `json:"evidence,omitempty"`
	}
)

// SweepJSON writes a sweep as one JSON object, its rows one a line and never all of them in memory again.
func SweepJSON(w io.Writer, s *lab.Sweep) error {
	head := sweepHead{
		lab.SweepVersion, s.Name, s.Title, s.File, s.At, s.Seed, s.Question, s.Complete, s.Duration,
		some(s.Products), some(s.Variations), []sweepLeg{},
	}
	for _, l := range s.Legs {
		head.Legs = append(head.Legs, sweepLeg{l.ID, s.Products[l.Product].ID, initiator(s, l), l.Own})
	}
	var text bytes.Buffer
	if err := document(&text, head); err != nil {
		return err
	}
	b := bufio.NewWriter(w) // it keeps its first error for Flush
	_, _ = b.Write(bytes.TrimSuffix(text.Bytes(), []byte("\n}\n")))
	_, _ = b.WriteString(",\n  \"rows\": [")
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	for i, r := range s.Rows {
		line.Reset()
		if err := e.Encode(sweepRow{
			s.Variations[r.Variation].Name, s.Legs[r.Leg].ID, r.Verdict, lab.Works(r.Verdict), r.Reason, r.Fault, r.Evidence,
		}); err != nil {
			return err
		}
		if i > 0 {
			_ = b.WriteByte(',')
		}
		_, _ = b.WriteString("\n    ")
		_, _ = b.Write(bytes.TrimSpace(line.Bytes()))
	}
	_, _ = b.WriteString("\n  ]\n}\n")
	return b.Flush()
}

// ReadSweep reads what SweepJSON wrote. Its error says what is wrong with the text.
func ReadSweep(text []byte) (*lab.Sweep, error) {
	var in struct {
		sweepHead
		Rows []sweepRow `json:"rows"`
	}
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, fmt.Errorf("it isn't the JSON of a sweep: %w", err)
	}
	switch {
	case in.Question == "" || in.Variations == nil:
		return nil, fmt.Errorf("it isn't the JSON of a sweep: it has no question")
	case in.Version != lab.SweepVersion:
		return nil, fmt.Errorf("it is of version %d; this program reads version %d", in.Version, lab.SweepVersion)
	}
	s := &lab.Sweep{
		Name: in.Name, Title: in.Title, File: in.File, At: in.At, Seed: in.Seed, Question: in.Question, Complete: in.Complete,
		Duration: in.Duration, Products: in.Products, Variations: in.Variations,
	}
	legs, variations := map[string]int{}, map[string]int{}
	for i, v := range s.Variations {
		variations[v.Name] = i
	}
	for i, l := range in.Legs {
		product := slices.IndexFunc(s.Products, func(p lab.SweepProduct) bool { return p.ID == l.Product })
		if product < 0 {
			return nil, fmt.Errorf("leg %q is with %q, which isn't among its products", l.ID, l.Product)
		}
		legs[l.ID] = i
		s.Legs = append(s.Legs, lab.SweepLeg{ID: l.ID, Product: product, FromEdge: l.Initiator == topology.ActorEdge, Own: l.Own})
	}
	for i, r := range in.Rows {
		v, okV := variations[r.Variation]
		l, okL := legs[r.Leg]
		if !okV || !okL || !r.Verdict.Valid() {
			return nil, fmt.Errorf("row %d means nothing: variation %q, leg %q, verdict %q", i+1, r.Variation, r.Leg, r.Verdict)
		}
		s.Rows = append(s.Rows, lab.SweepRow{Variation: v, Leg: l, Verdict: r.Verdict, Reason: r.Reason, Fault: r.Fault, Evidence: r.Evidence})
	}
	return s, nil
}
