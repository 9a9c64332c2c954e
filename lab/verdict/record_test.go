package verdict_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab/verdict"
)

// A flood fills neither a record nor a journal, and what was cut off gives no verdict.
func TestRecordIsBounded(t *testing.T) {
	r := verdict.NewRecord(verdict.Acceptor, "edge", "a > b", verdict.NewClock())
	for range 10 * verdict.MaxEvents {
		r.Add(verdict.Event{Kind: verdict.KindSIPReceived, Text: "receives OPTIONS", Raw: strings.Repeat("x", 4<<10)})
	}
	r.Add(verdict.Event{Kind: verdict.KindExchanged})
	events, kept := r.Events(), 0
	for _, e := range events {
		kept += len(e.Raw)
	}
	if len(events) != verdict.MaxEvents || kept > verdict.MaxRaw {
		t.Errorf("%d events with %d bytes of messages, want %d and at most %d", len(events), kept, verdict.MaxEvents, verdict.MaxRaw)
	}
	if v := verdict.Draw(verdict.Evidence{Events: events}); v.Code != verdict.Inconclusive || !strings.Contains(v.Fault, "cut off") {
		t.Errorf("drew %s, %q; want inconclusive, because the evidence is cut off", v.Code, v.Fault)
	}
}

func TestJournalIsBounded(t *testing.T) {
	j := verdict.NewJournal(verdict.NewClock())
	unfinished := j.Open("edge", "first")
	for i := range 5 * verdict.MaxUntaken {
		j.Open("edge", fmt.Sprint(i)).Finish()
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if r, _ := j.Take(ended, "0"); r != nil {
		t.Error("the oldest complete record is still there")
	}
	if r, _ := j.Take(t.Context(), fmt.Sprint(5*verdict.MaxUntaken-1)); r == nil {
		t.Error("the youngest isn't there")
	}
	if r, _ := j.Take(ended, "first"); r != unfinished {
		t.Error("a record that isn't complete was forgotten")
	}
}
