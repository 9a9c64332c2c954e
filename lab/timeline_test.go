package lab_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/edgelab/edgelab/ca/profile"
	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/verdict"
)

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// The source deployment has AOL, which asks for the client EKU. With each CA the leg to AOL works until the first
// purchase on or after the day on which that CA stops selling it, and not a day longer. Let's Encrypt's intermediates
// are for servers only since 2026-02-11, and no source says whether AOL's stack minds: nothing that works can break.
func TestTimelineNamesTheDay(t *testing.T) {
	s, opts := scenario(t, "source-deployment")
	profiles, err := profile.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		ca   string
		from time.Time
		ends time.Time // by the issuers' announcements
		// first is what becomes of the leg to AOL with the first certificate.
		first verdict.Code
	}{
		{"digicert", date(2026, 11, 24), date(2027, 3, 1), verdict.Trusted},
		{"letsencrypt", date(2026, 3, 1), date(2026, 7, 8), verdict.Unknown},
		{"sectigo", date(2026, 11, 24), date(2027, 2, 10), verdict.Trusted},
	} {
		t.Run(tt.ca, func(t *testing.T) {
			s := s
			s.At = tt.from
			line, err := lab.MakeTimeline(context.Background(), s, profiles, tt.ca, date(2028, 1, 1), opts)
			if err != nil {
				t.Fatal(err)
			}
			if line.LastClientEKU == nil || line.LastClientEKU.From.Before(tt.ends.AddDate(0, 0, -1)) || line.LastClientEKU.From.After(tt.ends.AddDate(0, 0, 1)) {
				t.Errorf("the client EKU ends on %v, want about %s", line.LastClientEKU, tt.ends.Format(time.DateOnly))
			}
			aol := slices.IndexFunc(line.Steps[0].Legs, func(l lab.StepLeg) bool { return l.ID == "edge/contoso.com -> aol" })
			if aol < 0 || line.Steps[0].Legs[aol].Verdict != tt.first {
				t.Errorf("the first step's legs are %v, want %s to AOL", line.Steps[0].Legs, tt.first)
			}
			broke := false
			for _, step := range line.Steps {
				purchase := step.Kind != lab.StepChange
				sold := line.LastClientEKU != nil && step.Date.Before(line.LastClientEKU.From.Time)
				if purchase && sold != slices.Contains(step.Order.EKUs, plan.Client) {
					t.Errorf("%s: bought with EKUs %v", step.Date.Format(time.DateOnly), step.Order.EKUs)
				}
				for _, b := range step.Broken {
					if b.Leg == "edge/contoso.com -> aol" {
						broke = true
						if sold || !purchase {
							t.Errorf("broke on %s, a %s", step.Date.Format(time.DateOnly), step.Kind)
						}
					}
				}
			}
			if broke != lab.Works(tt.first) {
				t.Errorf("the leg to AOL breaks: %v, and it worked: %v", broke, lab.Works(tt.first))
			}
		})
	}
}

// Lives get shorter: 200 days, 100 from 2027-03-15, 47 from 2029-03-15 (CA/B BR), so purchases get more frequent.
func TestTimelineLifetimes(t *testing.T) {
	s, opts := scenario(t, "sip-federation")
	profiles, err := profile.Load()
	if err != nil {
		t.Fatal(err)
	}
	line, err := lab.MakeTimeline(context.Background(), s, profiles, "digicert", date(2029, 9, 1), opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range line.Steps {
		most := 200
		switch {
		case !step.Order.NotBefore.Before(date(2029, 3, 15)):
			most = 47
		case !step.Order.NotBefore.Before(date(2027, 3, 15)):
			most = 100
		}
		if step.Days > most || step.Days < most-2 {
			t.Errorf("%s: %d days, want %d", step.Order.NotBefore.Format(time.DateOnly), step.Days, most)
		}
		for _, l := range step.Legs {
			if !lab.Works(l.Verdict) {
				t.Errorf("%s: %s: %s", step.Date.Format(time.DateOnly), l.ID, l.Verdict)
			}
		}
	}
}
