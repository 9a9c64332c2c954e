package web

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/edgelab/edgelab/ca/profile"
	"github.com/edgelab/edgelab/lab"
)

// The slider's ends. What happens later nobody has announced.
var (
	sliderFrom  = time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)
	sliderUntil = time.Date(2030, time.January, 1, 0, 0, 0, 0, time.UTC)
)

// defaultCA is the issuer that the time view begins with: one whose offer changes on a day that is announced.
const defaultCA = "digicert"

// A timeBody is what the time view shows.
type timeBody struct {
	*Loaded
	Issuers   []profile.Profile
	Day       time.Time
	From, To  int // of the slider, in days since 1970
	Today     int
	Bands     []Band
	Marks     []Mark
	Years     []Mark
	Terms     []Term
	Run       *Run
	Table     Table
	Purchases *lab.Timeline // nil: nobody asked
	MoreURL   string        // to ask
}

// A Band is a time in which an issuer's word on the client EKU stays the same, in days of the slider.
type Band struct {
	X, Width int
	Value    profile.Availability
	Sold     bool
	Words    string
}

// A Mark is a day of the slider on which something changes.
type Mark struct {
	X       int
	Day     time.Time
	Words   []string
	Sources []string
	URL     string
	Past    bool // it is no later than the slider's day
}

// A Term is a line of an issuer's terms.
type Term struct {
	Name string
	profile.Line
}

func dayNumber(t time.Time) int { return int(t.Unix() / (24 * 60 * 60)) }

// time shows what an issuer sells on a day of the plan's external certificate, and what becomes of the legs with it.
func (s *Site) time(v *visit) error {
	st, err := parseState(v.r.URL.Query(), s.profiles)
	if err != nil {
		return err
	}
	if st.Name == "" && st.Text == "" {
		st.Name = "source-deployment"
	}
	asked := st
	st.CA = cmp.Or(st.CA, defaultCA)
	if st.At.IsZero() { // the scenario's own day
		l, err := s.load(asked)
		if err != nil {
			return err
		}
		st.At = l.Base.At.UTC().Truncate(24 * time.Hour)
	}
	l, err := s.load(st)
	if err != nil {
		return err
	}
	b := timeBody{
		Loaded: l, Day: st.At, From: dayNumber(sliderFrom), To: dayNumber(sliderUntil), Today: min(max(dayNumber(st.At), dayNumber(sliderFrom)), dayNumber(sliderUntil)),
		Issuers: s.profiles.All(), MoreURL: st.URL("time") + "&purchases=1#purchases",
	}
	if err := b.axis(s.profiles); err != nil {
		return err
	}
	if b.Run, err = s.run(v, l); err != nil {
		return err
	}
	b.Table = table(l, b.Run)
	if v.r.URL.Query().Has("purchases") {
		if b.Purchases, err = s.purchases(v, l); err != nil {
			return err
		}
	}
	return v.show(200, "time", Page{Title: "By date: " + title(l), State: &asked, About: l, Body: b})
}

// axis lays the issuer's changes out along the slider.
func (b *timeBody) axis(profiles *profile.Profiles) error {
	changes, err := profiles.Changes(b.CA, sliderFrom, sliderUntil)
	if err != nil {
		return err
	}
	x := func(t time.Time) int { return dayNumber(t) - b.From }
	for year := sliderFrom.Year(); year < sliderUntil.Year(); year++ {
		day := time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC)
		b.Years = append(b.Years, Mark{X: x(day), Day: day})
	}
	days := []time.Time{sliderFrom}
	for _, c := range changes {
		words := fmt.Sprintf("%s: %s, before that %s", fieldWords(c.Field), c.After.Value, c.Before.Value)
		source := cmp.Or(c.After.Source.Ref, c.Before.Source.Ref)
		if n := len(b.Marks); n > 0 && b.Marks[n-1].Day.Equal(c.Date.Time) {
			m := &b.Marks[n-1]
			m.Words, m.Sources = append(m.Words, words), append(m.Sources, source)
			continue
		}
		days = append(days, c.Date.Time)
		st := b.State
		st.At = c.Date.Time
		b.Marks = append(b.Marks, Mark{X: x(c.Date.Time), Day: c.Date.Time, Words: []string{words}, Sources: []string{source},
			URL: st.URL("time"), Past: !c.Date.After(b.Day)})
	}
	for i, day := range days {
		offer, err := profiles.At(b.CA, day)
		if err != nil {
			return err
		}
		end := sliderUntil
		if i+1 < len(days) {
			end = days[i+1]
		}
		a := offer.ClientEKU()
		band := Band{X: x(day), Width: x(end) - x(day), Value: a, Sold: a.Sold(), Words: availabilityWords(a)}
		if n := len(b.Bands); n > 0 && b.Bands[n-1].Value == a {
			b.Bands[n-1].Width += band.Width
			continue
		}
		b.Bands = append(b.Bands, band)
	}
	for _, t := range b.Offered.Terms {
		if slices.Contains([]profile.Field{profile.Trust, profile.ClientEKU, profile.IntermediateEKU, profile.Lifetime, profile.CDP}, t.Field) {
			b.Terms = append(b.Terms, Term{fieldWords(t.Field), t})
		}
	}
	return nil
}

// Width is the slider's, in days.
func (b timeBody) Width() int { return b.To - b.From }

// First is the slider's first day.
func (b timeBody) First() time.Time { return sliderFrom }

// Latest is the slider's last day.
func (b timeBody) Latest() time.Time { return sliderUntil }

// At is where the slider stands.
func (b timeBody) At() int { return b.Today - b.From }

func availabilityWords(a profile.Availability) string {
	switch a {
	case profile.Default:
		return "client EKU in every certificate"
	case profile.Available:
		return "client EKU to be had"
	case profile.OptIn:
		return "client EKU on request"
	case profile.Gone:
		return "no client EKU"
	}
	return "client EKU: unknown"
}

func fieldWords(f profile.Field) string {
	switch f {
	case profile.Trust:
		return "Trusted by"
	case profile.ClientEKU:
		return "Client EKU"
	case profile.IntermediateEKU:
		return "Intermediate's EKU"
	case profile.Lifetime:
		return "Longest life, days"
	case profile.CDP:
		return "CRL distribution point"
	}
	return string(f)
}

// purchases makes every purchase from the slider's day on.
func (s *Site) purchases(v *visit, l *Loaded) (*lab.Timeline, error) {
	sc := l.Base
	sc.Orders = nil // the plan's certificate, as AsPlanned has it
	sc = lab.AsPlanned(sc)
	sc.At = l.At
	if !sc.At.Before(sliderUntil) {
		return nil, &badState{fmt.Sprintf("the purchases are made until %s; the day is later", sliderUntil.Format(time.DateOnly)), ""}
	}
	var t *lab.Timeline
	err := s.runs.bounded(v.r.Context(), v.client, func(ctx context.Context) error {
		var err error
		t, err = lab.MakeTimeline(ctx, sc, s.profiles, l.CA, sliderUntil, s.runs.options())
		return err
	})
	return t, err
}
