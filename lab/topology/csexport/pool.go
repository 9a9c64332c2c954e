package csexport

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/source"
)

// A cluster is one pool of machines, known by an ID that services refer to.
type cluster struct {
	id       string
	fqdn     string
	machines []Machine
	pos      source.Pos
}

// collectClusters reads every pool. A published topology numbers them within a site and has their machines directly
// below; Topology Builder gives them a unique ID and wraps the machines.
func (r *reader) collectClusters() {
	r.document.walk(func(e *element) {
		if e.name.Local != "Cluster" {
			return
		}
		c := cluster{id: e.attr("UniqueId"), fqdn: strings.ToLower(e.attr("Fqdn")), pos: e.pos}
		if id := e.child("ClusterId"); id != nil {
			c.id = clusterID(id)
		}
		machines := e.all("Machine")
		if wrapped := e.child("Machines"); wrapped != nil {
			machines = wrapped.all("Machine")
		}
		for _, m := range machines {
			c.machines = append(c.machines, machine(m, c.fqdn))
		}
		r.clusters = append(r.clusters, c)
	})
}

func clusterID(e *element) string { return e.attr("SiteId") + ":" + e.attr("Number") }

// machine reads one computer. Topology Builder leaves the name of a pool's only one out.
func machine(e *element, pool string) Machine {
	m := Machine{FQDN: strings.ToLower(e.attr("Fqdn"))}
	if m.FQDN == "" {
		m.FQDN = pool
	}
	for _, n := range e.all("NetInterface") {
		for _, names := range [][2]string{{"IPAddress", "ConfiguredIPAddress"}, {"IPv6Address", "ConfiguredIPv6Address"}} {
			ip, public := address(n.attr(names[0])), address(n.attr(names[1]))
			if !ip.IsValid() {
				continue
			}
			switch n.attr("InterfaceSide") {
			case "Internal":
				m.Internal = append(m.Internal, ip)
			case "External":
				m.External = append(m.External, Address{IP: ip, Public: public})
			}
		}
	}
	return m
}

// address reads an IP address; 0.0.0.0 stands for "whatever the computer has".
func address(s string) netip.Addr {
	a, err := netip.ParseAddr(s)
	if err != nil || a.IsUnspecified() {
		return netip.Addr{}
	}
	return a.Unmap()
}

func (r *reader) cluster(id string) (cluster, bool) {
	for _, c := range r.clusters {
		if c.id == id && id != "" {
			return c, true
		}
	}
	return cluster{}, false
}

// A service is one role on one pool.
type service struct {
	*element
	id, role, cluster string
	dependsOn         []string
}

func (r *reader) services() []service {
	var all []service
	for _, e := range r.document.child("Services").all("Service") {
		s := service{element: e, id: e.attr("UniqueId"), role: e.attr("RoleName"), cluster: e.attr("InstalledOn")}
		if id := e.child("ServiceId"); id != nil {
			s.id, s.role = serviceID(id), id.attr("RoleName")
		}
		if id := e.child("InstalledOn").child("ClusterId"); id != nil {
			s.cluster = clusterID(id)
		}
		for _, d := range e.child("DependsOn").all("Dependency") {
			s.dependsOn = append(s.dependsOn, d.attr("ServiceUniqueId"))
			if id := d.child("ServiceId"); id != nil {
				s.dependsOn = append(s.dependsOn, serviceID(id))
			}
		}
		all = append(all, s)
	}
	return all
}

func serviceID(e *element) string {
	return e.attr("SiteId") + ":" + e.attr("RoleName") + ":" + e.attr("Instance")
}

// pools reads the Edge pools and puts the one that federates first: a deployment can publish only one for federation
// (topic "Define your edge topology").
func (r *reader) pools() {
	r.collectClusters()
	services := r.services()
	for _, s := range services {
		if s.role != "EdgeServer" {
			continue
		}
		p := Pool{Pos: s.pos, ServiceVersion: number(s.attr("ServiceVersion"))}
		if c, ok := r.cluster(s.cluster); ok {
			p.FQDN, p.Machines = c.fqdn, c.machines
		} else {
			r.note(s.element, Ambiguous, "internal", "the Edge is installed on a pool that isn't in the export")
		}
		r.ports(&p, s)
		for _, d := range services {
			if !slices.Contains(s.dependsOn, d.id) || d.id == "" || d.role != "Registrar" {
				continue
			}
			if c, ok := r.cluster(d.cluster); ok {
				p.NextHop, p.Director = c.fqdn, d.child("RegistrarService").flag("IsDirector")
				if p.Director {
					for _, m := range c.machines {
						p.DirectorNodes = append(p.DirectorNodes, m.FQDN)
					}
				}
			}
		}
		r.Pools = append(r.Pools, p)
	}
	slices.SortStableFunc(r.Pools, func(a, b Pool) int { return order(b.Federation) - order(a.Federation) })
	if len(r.Pools) < 2 {
		return
	}
	for i, p := range r.Pools[1:] {
		message := "the Edge pool " + p.FQDN + " is left out: a scenario has one Edge, and " + r.Pools[0].FQDN + " is the one that federates"
		kind := LeftOut
		if p.Federation == r.Pools[0].Federation {
			kind = Ambiguous
			message = "the export has several Edge pools with the same claim to federation; " + r.Pools[0].FQDN + " is taken and " + p.FQDN + " left out"
		}
		r.Notes = append(r.Notes, Note{Pos: r.Pools[i+1].Pos, Kind: kind, Key: "edge", Message: message})
	}
}

// ports reads which services the pool has and how they are called outside.
func (r *reader) ports(p *Pool, s service) {
	for _, e := range s.child("Ports").all("Port") {
		if e.name.Space != nsRoles || e.attr("InterfaceSide") != "External" {
			continue
		}
		end := Endpoint{FQDN: strings.ToLower(e.attr("ConfiguredFqdn")), Port: number(e.attr("Port"))}
		owner := e.attr("Owner")
		owner = owner[strings.LastIndex(owner, ":")+1:]
		switch usage := e.attr("Usage"); {
		case owner == "AccessEdge":
			// SipServer is for partners, SipClient for remote users; both have the same FQDN.
			p.Federation = p.Federation || usage == "SipServer"
			if p.Access.FQDN == "" {
				p.Access = end
			}
		case owner == "DataEdge" && p.WebConf == (Endpoint{}):
			p.WebConf = end
		case owner == "MediaRelayEdge" && usage != "MediaCommunication" && p.AV == (Endpoint{}):
			p.AV = end
		case strings.HasPrefix(owner, "XmppFederation"):
			p.XMPP = true
		}
	}
}
