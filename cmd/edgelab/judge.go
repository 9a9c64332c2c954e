package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"github.com/edgelab/edgelab/lab/judge"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
)

type judgeCmd struct {
	Product productID `placeholder:"ID" help:"Who judges, as edgelab products lists it."`
	Role    role      `placeholder:"ROLE" help:"acceptor judges the connecting side's certificate, initiator the answering side's."`
	Name    string    `placeholder:"NAME" help:"Whom the product looks for: the stream's or From domain, or the host it connected to."`
	Chain   []string  `sep:"none" placeholder:"FILE" help:"The chain as presented, leaf first, PEM or DER; several files follow each other."`
	Roots   []string  `sep:"none" placeholder:"FILE" help:"The product's trust store; '' is an empty one."`
	CRL     []string  `name:"crl" sep:"none" placeholder:"FILE" help:"A CRL that the product has at hand, PEM or DER."`
	At      date      `placeholder:"DATE" help:"The product's clock: 2027-03-15. Unset: now."`
	TLS     string    `name:"tls" placeholder:"VERSION" help:"1.2 or 1.3, the most that the peer offers. Unset: 1.3."`
	Set     []string  `sep:"none" placeholder:"KEY=VALUE" help:"A setting of the product, by its own name. Unset: as packaged."`

	NoCertificate bool       `help:"What becomes of a peer that shows no certificate."`
	Own           bool       `help:"Ask before any handshake: does the product take the chain as its own certificate, to show it in the role?"`
	Batch         string     `placeholder:"FILE" help:"Judge rows of JSON, one a line, with the flags' names as fields; - for standard input."`
	Format        listFormat `default:"text" placeholder:"FORMAT" help:"text or json."`
}

// Help says what comes back.
func (judgeCmd) Help() string {
	return `The same engine judges as in the legs of edgelab run; nothing is connected to, and no private key is needed.

With --own the certificate is the product's own: Expressway before X15.5 refuses to install one without the client EKU, and .NET on Windows sends none. --role says where it is to be shown; --roots and --name aren't needed. A product of which no source tells of such a gate takes any.

A row of a batch has the flags' names as its fields: {"product": "prosody-0.12", "role": "acceptor", "name": "contoso.com", "chain": "chain.pem", "roots": "roots.pem", "set": {"s2s_secure_auth": false}}. chain, roots and crl are a path, PEM text, or a list of such. What a row leaves open the flags say. Fields with other names come back as labels. Each row gives a line of JSON, in order; one that can't be judged gives {"error": ..., "line": ...}, and the rest is judged all the same.

Exit codes: 0 trusted, 1 rejected, unknown, or left to dialback, 2 usage or bad input. A batch: 0 if every row could be judged, else 2.`
}

// Run judges one chain or a batch.
func (c *judgeCmd) Run(a *app) error {
	policies, err := policy.Load()
	if err != nil {
		return err
	}
	row, err := c.row()
	if err != nil {
		return asUsage(err)
	}
	j := judge.New(policies, time.Now())
	if c.Batch != "" {
		return c.batch(a, j, row)
	}
	result, err := j.Judge(row)
	if err != nil {
		return asUsage(err)
	}
	if err := c.print(a, result); err != nil {
		return err
	}
	if result.Outcome != verdict.OutcomeTrusted {
		return status(exitDiffers)
	}
	return nil
}

// row returns what the flags say.
func (c *judgeCmd) row() (judge.Row, error) {
	r := judge.Row{
		Product: string(c.Product), Role: string(c.Role), Name: c.Name, TLS: c.TLS, NoCertificate: c.NoCertificate, Own: c.Own,
		Chain: files(c.Chain), Roots: files(c.Roots), CRL: files(c.CRL),
	}
	if !c.At.IsZero() {
		r.At = c.At.Format(time.RFC3339)
	}
	var err error
	r.Set, err = judge.ParseSettings(c.Set)
	return r, err
}

// files returns the paths without the empty one, which stands for no file.
func files(paths []string) judge.Files {
	if paths == nil {
		return nil
	}
	list := judge.Files{}
	for _, p := range paths {
		if p != "" {
			list = append(list, p)
		}
	}
	return list
}

func (c *judgeCmd) print(a *app, r judge.Result) error {
	if c.Format == formatJSON {
		return a.json(r)
	}
	return a.result(report.JudgementText(r, report.Options{Colour: a.colour(a.out)}))
}

func (c *judgeCmd) batch(a *app, j *judge.Judge, defaults judge.Row) error {
	in := a.in
	if c.Batch != stdinName {
		f, err := os.Open(c.Batch)
		if err != nil {
			return badUsage("", "%s: %v", c.Batch, stripped(err))
		}
		defer f.Close() //nolint:errcheck // read only
		in = f
	}
	var sum judge.Summary
	var failed error
	err := a.write(func(w io.Writer) error {
		sum, failed = j.Batch(a.ctx, in, w, judge.BatchOptions{Defaults: defaults})
		return nil
	})
	var path *os.PathError
	switch {
	case err != nil:
		return err
	case errors.Is(failed, context.Canceled):
		return failed
	case errors.As(failed, &path) && path.Op == "read":
		return badUsage("", "%s: %v", c.Batch, path.Err)
	case failed != nil:
		return &outputError{"standard output", stripped(failed)}
	case sum.Failed > 0:
		return badUsage("their lines of output say why", "%d of %d rows could not be judged", sum.Failed, sum.Rows)
	}
	return nil
}

// asUsage returns the user's error with its way out as a hint.
func asUsage(err error) error {
	var e *judge.Error
	if errors.As(err, &e) {
		return badUsage(e.WayOut, "%s", e.Reason)
	}
	return err
}

// json writes v to standard output, indented.
func (p *printer) json(v any) error {
	return p.write(func(w io.Writer) error {
		b := bufio.NewWriter(w)
		e := json.NewEncoder(b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(v); err != nil {
			return err
		}
		return b.Flush()
	})
}

type role string

// Choices returns the roles.
func (role) Choices() []string { return []string{string(policy.Acceptor), string(policy.Initiator)} }

// UnmarshalText takes one of Choices.
func (r *role) UnmarshalText(text []byte) error {
	*r = role(text)
	return choose("--role", string(text), r.Choices())
}

type productID string

// Choices returns the products' IDs, for completion.
func (productID) Choices() []string {
	policies, err := policy.Load()
	if err != nil {
		return nil
	}
	return policies.Names()
}

type listFormat string

const (
	formatText listFormat = "text"
	formatJSON listFormat = "json"
)

// Choices returns the formats.
func (listFormat) Choices() []string { return words([]listFormat{formatText, formatJSON}) }

// UnmarshalText takes one of Choices.
func (f *listFormat) UnmarshalText(text []byte) error {
	*f = listFormat(text)
	return choose("--format", string(text), f.Choices())
}
