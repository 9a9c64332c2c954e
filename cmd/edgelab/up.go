package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/remote"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
)

type upCmd struct {
	Scenario string `arg:"" optional:"" help:"A scenario's file, or its name in the catalogue. None: source-deployment." complete:"file"`

	standFlags
	State  string     `placeholder:"DIR" help:"Write there what others need: the roots to trust, and the certificate, key and configuration of your own server. Taken away at the end."`
	Format lineFormat `default:"text" placeholder:"FORMAT" help:"How connections are told: text, or json for one object a line."`
}

// Help says what the command is for.
func (upCmd) Help() string {
	return `The whole lab stands on loopback until you press Ctrl-C: the Edge, its next hop, the partners, DNS and the CRLs. Each connection that somebody opens to it is told in one line when it is over: who, to what, the verdict, why.

To have a server of your own take a partner's part:

  edgelab up --state lab --mine northwind=127.0.0.1:5269

DNS then leads the Edge to your server, and the folder lab/northwind has the certificate, key and roots that it needs; for Prosody and Kamailio a configuration too. From another terminal

  edgelab run --remote --state lab --filter northwind

makes the legs to it. The files with keys are for you alone (mode 0600).`
}

// Run stands the lab up until the context ends.
func (c *upCmd) Run(a *app) error {
	s, err := c.scenario(a, c.Scenario)
	if err != nil {
		return err
	}
	if c.Mine != nil && c.State == "" {
		return badUsage("--state DIR says where", "--mine: your server's certificate and key have to be written somewhere")
	}
	setup, credentials, err := lab.Prepare(a.ctx, s, lab.SetupOptions{Seed: c.Seed, Elsewhere: c.Mine})
	if err != nil {
		return hostProblem(err)
	}
	tell := &incoming{app: a, json: c.Format == lineJSON}
	hosts := map[string]lab.Credential{}
	for key, credential := range credentials {
		if _, mine := c.Mine[key]; !mine {
			hosts[key] = credential
		}
	}
	ready := make(chan struct{}) // the lab is told of before who connects to it
	station, err := lab.Stand(a.ctx, setup, nil, hosts, lab.StandOptions{Incoming: func(in lab.Incoming) {
		select {
		case <-ready:
			tell.tell(in)
		case <-a.ctx.Done():
		}
	}})
	if err != nil {
		return hostProblem(err)
	}
	defer station.Close()
	if c.State != "" {
		control, err := c.write(a, setup, credentials, station)
		if err != nil {
			return stateProblem(err)
		}
		defer remote.Remove(c.State) //nolint:errcheck // who took it away has done so
		defer control.Close()        //nolint:errcheck // it is over
	}
	if tell.json {
		err = a.result(jsonLine(struct {
			Lab []lab.Endpoint `json:"lab"`
		}{station.Endpoints()}))
	} else {
		err = a.result(c.describe(station))
	}
	if err != nil {
		return err
	}
	close(ready)
	<-a.ctx.Done()
	return tell.failed()
}

// write leaves the state in the folder and answers on the control channel.
func (c *upCmd) write(a *app, setup *lab.Setup, credentials map[string]lab.Credential, station *lab.Station) (*remote.Server, error) {
	ln, err := remote.Listen(a.ctx, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0))
	if err != nil {
		return nil, err
	}
	at, err := netip.ParseAddrPort(ln.Addr().String())
	if err != nil {
		return nil, err
	}
	state := &remote.State{Setup: *setup, Control: map[string]netip.AddrPort{}}
	for _, host := range lab.Hosts(setup.Scenario) {
		if _, mine := c.Mine[host]; !mine {
			state.Control[host] = at
		}
	}
	if err := remote.Write(c.State, state, credentials); err != nil {
		_ = ln.Close()
		return nil, err
	}
	return state.Serve(a.ctx, c.State, remote.AllHosts, ln, station)
}

// describe says where everything is, and how to get at it.
func (c *upCmd) describe(station *lab.Station) string {
	s := station.Setup.Scenario
	var b strings.Builder
	fmt.Fprintf(&b, "%s stands, on %s; Ctrl-C ends it\n\n", s.Name, s.At.Format(time.DateOnly))
	rows := [][]string{{"HOST", "AT", "NAME", "WHAT ANSWERS"}}
	var access netip.AddrPort
	for _, e := range station.Endpoints() {
		if e.Host == topology.ActorEdge && !access.IsValid() {
			access = e.At
		}
		rows = append(rows, []string{e.Host, e.At.String(), e.Name, e.What})
	}
	b.WriteString(columns(rows))
	b.WriteString("\n")
	cert := ""
	if c.State != "" {
		fmt.Fprintf(&b, "roots to trust  %s\n", filepath.Join(c.State, remote.RootsFile))
	}
	for _, p := range s.Topology.Partners {
		if at, mine := c.Mine[p.Name]; mine {
			dir := filepath.Join(c.State, p.Name)
			fmt.Fprintf(&b, "yours           %s, for %s, at %s: see %s\n", p.Name, p.Domain, at, dir)
			cert = fmt.Sprintf(" -cert %[1]s/cert.pem -cert_chain %[1]s/chain.pem -key %[1]s/key.pem", dir)
		}
	}
	trust := ""
	if c.State != "" {
		trust = " -CAfile " + filepath.Join(c.State, remote.RootsFile)
	}
	fmt.Fprintf(&b, "look at it      openssl s_client -connect %s -servername %s%s%s\n", access, s.Topology.Edge.Access, trust, cert)
	fmt.Fprintf(&b, "its DNS         dig @%s -p %d %s\n", station.Setup.Resolver.Addr(), station.Setup.Resolver.Port(), s.Topology.Edge.Access)
	if c.State != "" {
		fmt.Fprintf(&b, "make its legs   edgelab run --remote --state %s\n", c.State)
	}
	b.WriteString("\n")
	return b.String()
}

// columns aligns rows.
func columns(rows [][]string) string {
	width := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			width[i] = max(width[i], len(cell))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		var line strings.Builder
		for i, cell := range r {
			fmt.Fprintf(&line, "%-*s", width[i]+2, cell)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

type lineFormat string

const (
	lineText lineFormat = "text"
	lineJSON lineFormat = "json"
)

// Choices returns the formats.
func (lineFormat) Choices() []string { return words([]lineFormat{lineText, lineJSON}) }

// UnmarshalText takes one of Choices.
func (f *lineFormat) UnmarshalText(text []byte) error {
	*f = lineFormat(text)
	return choose("--format", string(text), f.Choices())
}

// An incomingJSON is a connection as --format json tells of it.
type incomingJSON struct {
	At       time.Time       `json:"at"`
	From     netip.AddrPort  `json:"from"`
	To       netip.AddrPort  `json:"to"`
	Acceptor string          `json:"acceptor"`
	Verdict  verdict.Code    `json:"verdict"`
	Reason   string          `json:"reason"`
	Complete bool            `json:"complete"` // it worked, or was refused
	Evidence []verdict.Event `json:"evidence"`
}

// jsonLine is v on one line.
func jsonLine(v any) string {
	if in, ok := v.(lab.Incoming); ok {
		from, to := verdict.Ends(in.Conn)
		v = incomingJSON{
			At: in.At, From: from, To: to, Acceptor: in.Acceptor, Verdict: in.Verdict.Code, Reason: in.Verdict.Reason,
			Complete: in.Verdict.Fault == "", Evidence: in.Events,
		}
	}
	text, err := json.Marshal(v)
	if err != nil { // none of the types can
		return "{}"
	}
	return string(text)
}

func connEnds(conn string) (from, to netip.AddrPort) { return verdict.Ends(conn) }
