package main

import (
	"io"
	"slices"

	"github.com/edgelab/edgelab/lab/lint"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/report"
)

type lintCmd struct {
	Certificate string     `arg:"" help:"A certificate or a request, - for standard input: PEM, DER, PKCS#7 or PKCS#12." complete:"file"`
	Use         use        `default:"external" placeholder:"USE" help:"The interface that it is for: external or internal."`
	Private     bool       `help:"A private CA issued it, so that the rules of public ones don't bind it."`
	At          date       `placeholder:"DATE" help:"The day on which it is to be used. Unset: its validity isn't looked at."`
	Password    string     `placeholder:"PASSWORD" help:"Of a PKCS#12 file."`
	Format      listFormat `default:"text" placeholder:"FORMAT" help:"text or json."`
}

// Help says whose rules they are.
func (lintCmd) Help() string {
	return "The rules are those of RFC 5280, of the CA/Browser Forum and of Chrome's root programme that held when the certificate was issued, as zlint has them, and Microsoft's for an Edge Server.\n\nExit codes: 0 no rule with a must is broken, 1 one is, 2 usage or bad input."
}

// Run holds a certificate against written rules.
func (c *lintCmd) Run(a *app) error {
	f, err := a.certificate(c.Certificate, c.Password, "")
	if err != nil {
		return err
	}
	l, err := lint.New()
	if err != nil {
		return err
	}
	found := l.Check(f, lint.Options{Use: string(c.Use), Private: c.Private, At: c.At.Time})
	if c.Format == formatJSON {
		err = a.write(func(w io.Writer) error { return report.LintJSON(w, f.Name, found) })
	} else {
		err = a.result(report.LintText(f.Name, found, report.Options{Colour: a.colour(a.out)}))
	}
	if err != nil {
		return err
	}
	if slices.ContainsFunc(found, func(f lint.Finding) bool { return f.Severity == lint.Error }) {
		return status(exitDiffers)
	}
	return nil
}

type use string

// Choices returns the interfaces.
func (use) Choices() []string { return []string{plan.External, plan.Internal} }

// UnmarshalText takes one of Choices.
func (u *use) UnmarshalText(text []byte) error {
	*u = use(text)
	return choose("--use", string(text), u.Choices())
}
