package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/verdict"
)

// draw writes a ladder's steps as "1,2 >": the numbers of the events, and an arrow to the right or left, or the side of
// a note.
func draw(l report.Ladder) string {
	var out []string
	for _, s := range l.Steps {
		numbers := fmt.Sprint(s.Event.Seq)
		if s.Seen != nil {
			numbers += fmt.Sprintf(",%d", s.Seen.Seq)
		}
		mark := map[[2]bool]string{{true, false}: ">", {true, true}: "<", {false, false}: "left", {false, true}: "right"}[[2]bool{s.Arrow, s.Right}]
		out = append(out, numbers+" "+mark)
	}
	return strings.Join(out, "; ")
}

func TestLadder(t *testing.T) {
	const i, a = verdict.Initiator, verdict.Acceptor
	type ev = verdict.Event
	for _, tt := range []struct {
		name   string
		events []ev
		want   string
	}{
		{"nothing", nil, ""},
		{"notes stand at their side", []ev{{Side: i, Kind: verdict.KindDNS}, {Side: a, Kind: verdict.KindHandshake, Conn: "c"}}, "1 left; 2 right"},
		{
			"sent and received is one arrow",
			[]ev{{Side: i, Kind: verdict.KindSIPSent, Conn: "c", Raw: "x"}, {Side: a, Kind: verdict.KindSIPReceived, Conn: "c", Raw: "x"}},
			"1,2 >",
		},
		{
			"an arrow back, noticed first by whom it reached",
			[]ev{{Side: i, Kind: verdict.KindAlertReceived, Alert: 43}, {Side: a, Kind: verdict.KindAlertSent, Alert: 43}},
			"2,1 <",
		},
		{
			"another message than was sent isn't the same arrow",
			[]ev{{Side: i, Kind: verdict.KindXMPPSent, Raw: "x"}, {Side: a, Kind: verdict.KindXMPPReceived, Raw: "y"}},
			"1 >; 2 >",
		},
		{
			"another chain than was sent isn't the same arrow",
			[]ev{{Side: a, Kind: verdict.KindCertSent, Certs: []string{"aa"}}, {Side: i, Kind: verdict.KindCertSeen, Certs: []string{"bb"}}},
			"1 <; 2 <",
		},
		{
			"two of the same are two arrows",
			[]ev{{Side: i, Kind: verdict.KindSIPSent}, {Side: i, Kind: verdict.KindSIPSent}, {Side: a, Kind: verdict.KindSIPReceived}, {Side: a, Kind: verdict.KindSIPReceived}},
			"1,3 >; 2,4 >",
		},
		{
			"the leg's own connection is its initiator's, whoever is heard first",
			[]ev{{Side: a, Kind: verdict.KindConnect, Conn: "c"}, {Side: i, Kind: verdict.KindConnect, Conn: "c"}},
			"2,1 >",
		},
		{
			"a verification's connection goes the other way",
			[]ev{
				{Side: i, Kind: verdict.KindConnect, Conn: "c"}, {Side: a, Kind: verdict.KindConnect, Conn: "c"},
				{Side: a, Kind: verdict.KindConnect, Conn: "d"}, {Side: i, Kind: verdict.KindConnect, Conn: "d"},
				{Side: a, Kind: verdict.KindHello, Conn: "d"}, {Side: i, Kind: verdict.KindHello, Conn: "d"},
			},
			"1,2 >; 3,4 <; 5,6 <",
		},
		{
			"a certificate that was asked for in vain",
			[]ev{{Side: i, Kind: verdict.KindCertWithheld}, {Side: a, Kind: verdict.KindNoCertSeen}},
			"1,2 >",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for n := range tt.events {
				tt.events[n].Seq = n + 1
			}
			got := report.NewLadder(lab.LegResult{Initiator: "edge", Acceptor: "aol", Evidence: tt.events})
			if draw(got) != tt.want {
				t.Errorf("drew %q, want %q", draw(got), tt.want)
			}
			if got.Left != "edge" || got.Right != "aol" {
				t.Errorf("between %s and %s", got.Left, got.Right)
			}
		})
	}
}

func TestStepTones(t *testing.T) {
	for _, tt := range []struct {
		event verdict.Event
		want  report.Tone
	}{
		{verdict.Event{Kind: verdict.KindSIPSent, Status: 200}, report.Plain},
		{verdict.Event{Kind: verdict.KindSIPSent, Status: 504}, report.Bad},
		{verdict.Event{Kind: verdict.KindAlertReceived, Alert: 43}, report.Bad},
		{verdict.Event{Kind: verdict.KindExchanged}, report.Fine},
		{verdict.Event{Kind: verdict.KindJudged}, report.Plain},
		{verdict.Event{Kind: verdict.KindJudged, Judgement: &verdict.Judgement{Outcome: verdict.OutcomeTrusted}}, report.Fine},
		{verdict.Event{Kind: verdict.KindJudged, Judgement: &verdict.Judgement{Outcome: verdict.OutcomeFallback}}, report.Doubt},
		{verdict.Event{Kind: verdict.KindJudged, Judgement: &verdict.Judgement{Outcome: verdict.OutcomeRejected}}, report.Bad},
	} {
		if got := (report.Step{Event: tt.event}).Tone(); got != tt.want {
			t.Errorf("%s %d: %q, want %q", tt.event.Kind, tt.event.Status, got, tt.want)
		}
	}
}
