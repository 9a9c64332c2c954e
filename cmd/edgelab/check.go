package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/certfile"
	"github.com/edgelab/edgelab/lab/probe"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/topology"
)

type checkCmd struct {
	File        string     `arg:"" help:"A scenario file, - for standard input." complete:"file"`
	Certificate string     `placeholder:"FILE" help:"The certificate, with its chain as it is to be installed, or a request: PEM, DER, PKCS#7 or PKCS#12."`
	Password    string     `placeholder:"PASSWORD" help:"Of a PKCS#12 file."`
	Roots       string     `placeholder:"FILE" help:"The root that the chain leads to, PEM."`
	Key         string     `placeholder:"FILE" help:"The certificate's private key: the legs are then run with the original. It stays on this machine."`
	Connect     string     `placeholder:"HOST:PORT" help:"Take the chain that a live endpoint shows. This leaves the machine."`
	StartTLS    startTLS   `name:"starttls" default:"none" placeholder:"PROTOCOL" help:"What is spoken before the handshake of --connect: none or xmpp."`
	At          date       `placeholder:"DATE" help:"The date on everybody's clock, instead of the scenario's own: 2027-03-15."`
	Format      listFormat `default:"text" placeholder:"FORMAT" help:"text or json."`
	captureFlags
	legFlags
}

// Help says what stands in for the certificate, and what the exit codes mean here.
func (checkCmd) Help() string {
	return `A certificate comes without its private key, so the lab makes a twin of the same fields under a look-alike chain, runs every leg with it, has the same engine judge the original chain, and holds the two against each other. With --key, or a PKCS#12 file that has the key, the original is used, if its root is at hand.

Every leg is made with the plan's certificate as well: what works with that one and not with yours is told.

Exit codes: 0 no leg breaks, 1 one does, 2 usage or bad input, 3 environment, 4 twin and original disagree or the lab's own control failed, so no verdict counts.

` + captureHelp
}

// Run runs a deployment with a certificate.
func (c *checkCmd) Run(a *app) error {
	s, opts, err := a.deployment(c.File, c.At, c.legFlags)
	if err != nil {
		return err
	}
	f, err := c.chain(a, s.Topology)
	if err != nil {
		return err
	}
	roots, err := c.roots(a)
	if err != nil {
		return err
	}
	if c.Key != "" && len(roots) == 0 && !selfIssued(f) {
		return badUsage("give the CA's root with --roots", "with --key the original is used, and nobody trusts it without its root")
	}
	done, err := c.record(a, &opts)
	if err != nil {
		return err
	}
	b, err := lab.CheckCertificate(a.ctx, s, f, roots, opts)
	missing := done()
	if err != nil {
		return err
	}
	if c.Format == formatJSON {
		err = a.write(func(w io.Writer) error { return report.BoughtJSON(w, *b) })
	} else {
		err = a.result(report.BoughtText(*b, report.Options{Colour: a.colour(a.out)}))
	}
	if err != nil {
		return err
	}
	if missing != nil {
		return missing
	}
	if err := soundness(*b); err != nil {
		return err
	}
	if len(b.Broken) > 0 {
		return status(exitDiffers)
	}
	return nil
}

// soundness returns the status that the program ends with if the lab itself failed.
func soundness(b lab.Bought) error {
	switch {
	case !b.Result.ControlsHold(), len(b.Disagreements) > 0:
		return status(exitControl)
	case b.Result.Counts().Faults > 0:
		return status(exitEnvironment)
	}
	return nil
}

// chain gets the certificate from where the flags say.
func (c *checkCmd) chain(a *app, t topology.Topology) (certfile.File, error) {
	switch {
	case c.Certificate != "" && c.Connect != "":
		return certfile.File{}, badUsage("leave one of them out", "--certificate and --connect both say where the certificate is")
	case c.Certificate == "" && c.Connect == "":
		return certfile.File{}, badUsage("--certificate bought.pem, or --connect host:port", "no certificate is given")
	case c.Certificate == stdinName && c.File == stdinName:
		return certfile.File{}, badUsage("give one of them as a file", "standard input can't be both the scenario and the certificate")
	case c.Certificate != "":
		return a.certificate(c.Certificate, c.Password, c.Key)
	case c.Key != "":
		return certfile.File{}, badUsage("save its certificate, and give it with --certificate", "--key goes with --certificate")
	}
	return c.live(a, t)
}

// live reads the chain of an endpoint.
func (c *checkCmd) live(a *app, t topology.Topology) (certfile.File, error) {
	if _, port, err := net.SplitHostPort(c.Connect); err != nil || port == "" {
		return certfile.File{}, badUsage("for example sip.contoso.com:5061", "--connect %q isn't host:port", c.Connect)
	}
	target := probe.Target{Address: c.Connect, StartTLS: probe.StartTLS(c.StartTLS)}
	if target.StartTLS == probe.XMPP {
		if len(t.XMPPDomains) == 0 {
			return certfile.File{}, badUsage("leave --starttls out", "the topology has no XMPP domain to open a stream to")
		}
		target.Name = t.XMPPDomains[0]
	}
	a.note("connecting to %s: this leaves the machine", c.Connect)
	chain, err := probe.Chain(a.ctx, target)
	if err != nil {
		if ctxErr := context.Cause(a.ctx); ctxErr != nil {
			return certfile.File{}, ctxErr
		}
		return certfile.File{}, err
	}
	var text []byte
	for _, cert := range chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
	}
	f, err := certfile.Read(c.Connect, text, certfile.Options{})
	return f, asCertificate(err)
}

// roots reads the roots that the flag names.
func (c *checkCmd) roots(a *app) ([]*x509.Certificate, error) {
	if c.Roots == "" {
		return nil, nil
	}
	data, err := a.contents(c.Roots, certfile.MaxSize)
	if err != nil {
		return nil, err
	}
	var roots []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		root, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, badUsage("", "--roots %s: a certificate can't be read: %v", c.Roots, err)
		}
		roots = append(roots, root)
	}
	if len(roots) == 0 {
		return nil, badUsage("PEM is what is read here: openssl x509 -inform DER makes it of DER", "--roots %s holds no certificate", c.Roots)
	}
	return roots, nil
}

// selfIssued reports whether a file has its chain's root.
func selfIssued(f certfile.File) bool {
	if len(f.Chain) == 0 {
		return false
	}
	last := f.Chain[len(f.Chain)-1]
	return last.CheckSignatureFrom(last) == nil
}

type startTLS string

// Choices returns the protocols.
func (startTLS) Choices() []string { return words([]probe.StartTLS{probe.None, probe.XMPP}) }

// UnmarshalText takes one of Choices.
func (s *startTLS) UnmarshalText(text []byte) error {
	*s = startTLS(text)
	return choose("--starttls", string(text), s.Choices())
}
