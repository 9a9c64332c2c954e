package main

import (
	"bytes"
	"fmt"
	"io"

	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/topology/csexport"
)

type importCmd struct {
	Files  []string `arg:"" help:"One topology and any number of partner lists, in any order; - for standard input." complete:"file"`
	Output string   `short:"o" placeholder:"FILE" help:"Write the scenario there, whole or not at all."`
}

// Help says how the files are made.
func (importCmd) Help() string {
	return `On a machine with the Lync Server Management Shell:

  (Get-CsTopology -AsXml).ToString() > topology.xml
  Get-CsAllowedDomain | Export-Csv allowed.csv
  Get-CsPublicProvider | Export-Csv public.csv
  Get-CsHostingProvider | Export-Csv hosting.csv
  Get-CsXmppAllowedPartner | Export-Clixml xmpp.xml

A .tbxml file of Topology Builder will do in place of topology.xml. What the export doesn't settle is a comment that begins with "ambiguous:" in the output, for you to settle, and what was left out and why is said on standard error.`
}

// Run makes a scenario of an export.
func (c *importCmd) Run(a *app) error {
	i, err := c.read(a)
	if err != nil {
		return err
	}
	var to *sink
	if c.Output != "" {
		if to, err = openSink(c.Output); err != nil {
			return err
		}
		defer to.discard()
	}
	text := csexport.YAML(*i)
	invalid := c.notes(a, i, bytes.Count(text, []byte("# ambiguous: ")))
	write := func(w io.Writer) error { _, err := w.Write(text); return err }
	if to != nil {
		err = to.fill(write)
	} else {
		err = a.write(write)
	}
	if err != nil {
		return err
	}
	if invalid > 0 {
		return badUsage("the lines above name them; settle them in the file", "the export leads to a scenario that can't run yet: %d things are invalid", invalid)
	}
	return nil
}

// read reads every file by what it holds.
func (c *importCmd) read(a *app) (*csexport.Import, error) {
	var topology *csexport.Import
	var lists []csexport.Partners
	for _, file := range c.Files {
		data, err := a.contents(file, csexport.MaxSize)
		if err != nil {
			return nil, err
		}
		name := file
		if file == stdinName {
			name = "standard-input.xml"
		}
		if csexport.Sniff(data) == csexport.PartnerList {
			p, err := csexport.ReadPartners(name, data)
			if err != nil {
				return nil, err
			}
			lists = append(lists, p)
			continue
		}
		i, err := csexport.Read(name, data)
		if err != nil {
			return nil, err
		}
		if topology != nil {
			return nil, badUsage("import one topology at a time", "%s and %s are both topologies", topology.File, name)
		}
		topology = &i
	}
	if topology == nil {
		return nil, badUsage("Get-CsTopology -AsXml, or a .tbxml of Topology Builder", "no topology is among the files: partner lists go beside one")
	}
	topology.AddPartners(lists...)
	return topology, nil
}

// notes says what the reader of the output should know, and counts what makes it invalid. ambiguous is how many comments
// of the output ask for a decision.
func (c *importCmd) notes(a *app, i *csexport.Import, ambiguous int) (invalid int) {
	for _, n := range i.Notes {
		if n.Kind == csexport.Invalid {
			invalid++
		}
		a.note("%s: %s: %s", place(n.Pos), n.Kind, n.Message)
	}
	for _, p := range i.Partners {
		if p.LeftOut != "" {
			a.note("%s: %s: partner %s: %s", place(p.Pos), csexport.LeftOut, p.Name, p.LeftOut)
		}
	}
	if ambiguous > 0 {
		a.note(`comments of the output that begin with "ambiguous:": %d; settle them before you trust a plan`, ambiguous)
	}
	return invalid
}

// place names a line of a file, and its column where that is known.
func place(p source.Pos) string {
	if p.Column > 0 {
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}
