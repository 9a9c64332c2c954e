package main

import (
	"io"
	"time"

	"github.com/edgelab/edgelab/ca/profile"
	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/report"
)

type timelineCmd struct {
	File   string     `arg:"" help:"A scenario file, - for standard input." complete:"file"`
	CA     caID       `name:"ca" required:"" placeholder:"ID" help:"The issuer of the external certificate."`
	Until  date       `required:"" placeholder:"DATE" help:"The last day that is looked at: 2030-01-01."`
	From   date       `placeholder:"DATE" help:"The day of the first purchase. Unset: the scenario's date."`
	Format listFormat `default:"text" placeholder:"FORMAT" help:"text or json."`
	legFlags
}

// Help says how the days are found.
func (timelineCmd) Help() string {
	return "The external certificate is bought for as long as the issuer sells it, and renewed 30 days before its end, or a third of its life if that is less. On each day on which a certificate is bought or the issuer's offer changes every leg is made with the clocks of both ends set to that day. What an issuer sells on which day is data with sources; what no source says is left as ordered and reported."
}

// longestTimeline is what one timeline may span: what happens after that nobody has announced.
const longestTimeline = 20 * 365 * 24 * time.Hour

// Run tells every purchase to come.
func (c *timelineCmd) Run(a *app) error {
	s, opts, err := a.deployment(c.File, c.From, c.legFlags)
	if err != nil {
		return err
	}
	s.At = s.At.UTC().Truncate(24 * time.Hour)
	switch {
	case !c.Until.After(s.At):
		return badUsage("--from moves the first day", "--until %s is no later than the first purchase, %s", c.Until.Format(time.DateOnly), s.At.Format(time.DateOnly))
	case c.Until.Sub(s.At) > longestTimeline:
		return badUsage("twenty years are the most", "--until %s is too far from the first purchase, %s", c.Until.Format(time.DateOnly), s.At.Format(time.DateOnly))
	}
	profiles, err := profile.Load()
	if err != nil {
		return err
	}
	t, err := lab.MakeTimeline(a.ctx, s, profiles, string(c.CA), c.Until.Time, opts)
	if err != nil {
		return err
	}
	if c.Format == formatJSON {
		return a.write(func(w io.Writer) error { return report.TimelineJSON(w, *t) })
	}
	return a.result(report.TimelineText(*t, report.Options{Colour: a.colour(a.out)}))
}
