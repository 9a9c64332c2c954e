package main

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/remote"
	"github.com/edgelab/edgelab/lab/source"
)

type peerCmd struct {
	Host     string `arg:"" help:"The host to play: dns, edge, next-hop, remote-user, or a partner's name."`
	Scenario string `arg:"" optional:"" help:"For dns: a scenario's file, or its name in the catalogue. None: source-deployment." complete:"file"`

	standFlags
	State   string                    `required:"" env:"EDGELAB_STATE" placeholder:"DIR" help:"The folder through which the hosts know each other; dns writes it."`
	Address map[string]netip.Addr     `mapsep:"," placeholder:"NAME=ADDRESS" help:"For dns: where hosts and the Edge's interfaces are, in containers. Without it all are on loopback."`
	Real    map[string]netip.AddrPort `mapsep:"," placeholder:"NAME=ADDRESS:PORT" help:"For dns: partners that a real product plays; edgelab peer NAME is then its driver."`
	IfThere bool                      `help:"End well, at once, if the scenario has no such host."`
	Wait    time.Duration             `default:"1m" help:"How long to wait for dns to have written the folder, and for a product to be ready."`
	Format  lineFormat                `default:"text" placeholder:"FORMAT" help:"How connections are told: text, or json for one object a line."`
}

// Help says what the command is for.
func (peerCmd) Help() string {
	return `Each host of a scenario can be a process of its own, on one machine or in containers. The one that is called dns comes first: it has the certificates issued, writes the folder, and serves DNS and the CRLs. The others read their part of the folder.

  edgelab peer dns --state lab source-deployment &
  edgelab peer edge --state lab &
  ...
  edgelab run --remote --state lab

Where a real product plays a partner (--real), the partner's peer is a driver beside it, on the same machine or in the same container network: it has the product connect. docker-compose.yml shows all of it. The folder holds the lab's private keys, for you alone (mode 0600); take it away when the lab is over.`
}

// Run plays the host until the context ends.
func (c *peerCmd) Run(a *app) error {
	if c.Host == lab.HostDNS {
		if err := c.issue(a); err != nil {
			return err
		}
	} else if c.Scenario != "" || c.Address != nil || c.Real != nil || c.Mine != nil || !c.At.IsZero() {
		return badUsage("edgelab peer dns takes it, and the others read it in the folder", "%s: only dns is told the scenario and where the hosts are", c.Host)
	}
	ctx, cancel := context.WithTimeout(a.ctx, c.Wait)
	defer cancel()
	state, err := remote.Await(ctx, c.State)
	if a.ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return stateProblem(err)
	}
	known := lab.Hosts(state.Scenario)
	if !slices.Contains(known, c.Host) {
		if c.IfThere {
			a.note("%s isn't in %s, so there is nothing to play", c.Host, state.Scenario.Name)
			return nil
		}
		return badUsage(source.Suggest(c.Host, known), "%s has no host %q", state.Scenario.Name, c.Host)
	}
	return c.play(ctx, a, state)
}

// play plays the host, or drives the product that does.
func (c *peerCmd) play(starting context.Context, a *app, state *remote.State) error {
	tell := &incoming{app: a, json: c.Format == lineJSON}
	var player remote.Player
	if product, driven := state.Products[c.Host]; driven {
		d, err := state.Drive(starting, c.Host)
		switch {
		case a.ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		player = d
		a.note("%s plays %s, and takes orders from %s", product, c.Host, state.Control[c.Host])
	} else {
		credentials, err := state.Credentials(c.State, c.Host)
		if err != nil {
			return stateProblem(err)
		}
		station, err := lab.Stand(a.ctx, &state.Setup, []string{c.Host}, credentials, lab.StandOptions{Incoming: tell.tell})
		if err != nil {
			return environmentProblem(hostProblem(err))
		}
		defer station.Close()
		player = station
		for _, e := range station.Endpoints() {
			a.note("%s at %s: %s", strings.TrimSpace(e.Host+" "+e.Name), e.At, e.What)
		}
	}
	ln, err := remote.Listen(a.ctx, state.Control[c.Host])
	if err != nil {
		return environmentProblem(err)
	}
	control, err := state.Serve(a.ctx, c.State, c.Host, ln, player)
	if err != nil {
		return stateProblem(err)
	}
	defer control.Close() //nolint:errcheck // it is over
	a.note("%s is ready, for %s on %s", c.Host, state.Scenario.Name, state.Scenario.At.Format(time.DateOnly))
	<-a.ctx.Done()
	return tell.failed()
}

// issue writes the state, unless the folder has one that was made of the same.
func (c *peerCmd) issue(a *app) error {
	s, err := c.scenario(a, c.Scenario)
	if err != nil {
		return err
	}
	elsewhere, products := map[string]netip.AddrPort{}, map[string]string{}
	for name, at := range c.Mine {
		elsewhere[name] = at
	}
	for _, p := range s.Topology.Partners {
		at, ok := c.Real[p.Name]
		if !ok {
			continue // as with addresses, one list serves several scenarios
		}
		family, _, _ := strings.Cut(p.Product, "-")
		if !slices.Contains(remote.Products(), family) {
			return badUsage("the lab can drive "+strings.Join(remote.Products(), " and "), "--real %s: its product in %s is %s", p.Name, s.Name, p.Product)
		}
		elsewhere[p.Name], products[p.Name] = at, family
	}
	setup, credentials, err := lab.Prepare(a.ctx, s, lab.SetupOptions{Seed: c.Seed, Fixed: true, Addresses: c.Address, Elsewhere: elsewhere})
	if err != nil {
		return hostProblem(err)
	}
	state := &remote.State{Setup: *setup, Control: map[string]netip.AddrPort{}, Products: products}
	state.Resolver = netip.AddrPortFrom(state.Addresses[lab.HostDNS], dnsPort)
	for _, host := range lab.Hosts(s) {
		if _, mine := c.Mine[host]; !mine {
			state.Control[host] = netip.AddrPortFrom(state.Addresses[host], remote.ControlPort)
		}
	}
	if old, err := remote.Read(c.State); err == nil && old.Same(state) {
		a.note("%s has what is needed already", c.State)
		return nil
	}
	if err := remote.Write(c.State, state, credentials); err != nil {
		return stateProblem(err)
	}
	return nil
}

// dnsPort is the one that resolvers ask; a lab of several processes can't have another.
const dnsPort = 53
