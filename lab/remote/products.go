package remote

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/topology"
)

// Products returns the families of real products that the lab writes a configuration for, and can drive.
func Products() []string { return []string{"kamailio", "prosody"} }

// configurations returns the files by which a partner's product is what the scenario says, if the lab knows how: with the
// partner's domain, its certificate and roots in dir, and its settings. They are for the real product's present clock.
func configurations(s *State, p topology.Partner, at netip.AddrPort, dir string) map[string][]byte {
	switch productOf(p) {
	case "prosody":
		secure := p.Settings["s2s_secure_auth"]
		if secure == "" {
			secure = "true" // Debian's /etc/prosody/prosody.cfg.lua
		}
		return map[string][]byte{"prosody.cfg.lua": fmt.Appendf(nil, prosodyConfig, dir, at.Addr(), at.Port(), secure, s.Resolver.Addr(), s.Resolver.Port(), p.Domain)}
	case "kamailio":
		// Debian's /etc/kamailio/tls.cfg
		server := map[string]string{"verify_certificate": "no", "require_certificate": "no"}
		client := map[string]string{"verify_certificate": "yes", "require_certificate": "yes"}
		for _, options := range []map[string]string{server, client} {
			for name := range options {
				if v, ok := p.Settings[name]; ok {
					options[name] = v
				}
			}
		}
		edge := netip.AddrPortFrom(s.Addresses[topology.ActorEdge], sipsPort)
		return map[string][]byte{
			"kamailio.cfg": fmt.Appendf(nil, kamailioConfig, at, filepath.Join(dir, "tls.cfg"), edge, sipPort),
			"tls.cfg":      fmt.Appendf(nil, kamailioTLS, dir, options(server), options(client)),
		}
	}
	return nil
}

func options(m map[string]string) string {
	var lines []string
	for name, v := range m {
		lines = append(lines, name+" = "+v)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

const (
	sipsPort    = 5061
	sipPort     = 5060 // on loopback, where the driver asks Kamailio to send on what it is given
	consolePort = 5582 // on loopback: mod_admin_telnet
)

// prosodyConfig is Prosody's. mod_s2s_bidi is in Debian's configuration: without it the Edge has no stream to answer on.
const prosodyConfig = `-- Made by edgelab; for a rehearsal.
--   prosody -F --config %[1]s/prosody.cfg.lua
run_as_root = true
pidfile = "%[1]s/prosody.pid"
data_path = "%[1]s"
interfaces = { "%[2]s" }
s2s_ports = { %[3]d }
c2s_ports = {}
c2s_direct_tls_ports = {}
s2s_direct_tls_ports = {}
modules_enabled = { "saslauth", "tls", "dialback", "s2s_bidi", "disco", "ping", "admin_telnet" }
modules_disabled = { "admin_shell_socket", "posix" }
console_ports = { 5582 }
console_interfaces = { "127.0.0.1" }
console_banner = "short"
s2s_secure_auth = %[4]s
ssl = { certificate = "%[1]s/cert.pem", key = "%[1]s/key.pem", cafile = "%[1]s/roots.pem" }
-- The lab's DNS, whatever the machine's is.
unbound = { resolvconf = false; hoststxt = false; forward = { "%[5]s@%[6]d" }; options = { ["do-not-query-localhost:"] = "no" } }
log = { info = "*console" }
VirtualHost "%[7]s"
`

const kamailioConfig = `#!KAMAILIO
# Made by edgelab; for a rehearsal. It answers what comes over TLS, and sends on to the Edge what comes over UDP.
#   kamailio -DD -E -f kamailio.cfg
debug=0
log_stderror=yes
children=1
tcp_children=2
enable_tls=yes
auto_aliases=no
dns=no
rev_dns=no
tcp_connect_timeout=5
tcp_connection_lifetime=2
listen=tls:%[1]s
listen=udp:127.0.0.1:%[4]d
loadmodule "tls.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "tcpops.so"
modparam("tls", "config", "%[2]s")
modparam("tm", "fr_timer", 5000)
request_route {
	if (proto == TLS || $rU == "ready") {
		sl_send_reply("200", "OK");
		exit;
	}
	$du = "sip:%[3]s;transport=tls";
	if (!t_relay()) {
		sl_reply_error();
	}
}
# Each leg has a connection of its own: the last answer of one closes it.
reply_route {
	if ($rm == "MESSAGE") {
		tcp_close_connection();
	}
}
`

const kamailioTLS = `[server:default]
method = TLSv1.2+
private_key = %[1]s/key.pem
certificate = %[1]s/cert.pem
ca_list = %[1]s/roots.pem
%[2]s

[client:default]
method = TLSv1.2+
private_key = %[1]s/key.pem
certificate = %[1]s/cert.pem
ca_list = %[1]s/roots.pem
%[3]s
`
