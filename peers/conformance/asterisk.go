package conformance

import (
	"context"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"
)

// asteriskSetups measure res_pjsip: verification on, the client's certificate demanded or not, wildcards allowed or
// not, and as packaged.
func asteriskSetups() []setup {
	verify, demand := map[string]string{"verify_client": "yes"}, map[string]string{"verify_client": "yes", "require_client_cert": "yes"}
	server, wild := map[string]string{"verify_server": "yes"}, map[string]string{"verify_server": "yes", "allow_wildcard_certs": "yes"}
	start := func(role Role, settings map[string]string) func(context.Context, *bench) (session, error) {
		return func(ctx context.Context, b *bench) (session, error) { return startAsterisk(ctx, b, role, settings) }
	}
	return []setup{
		{role: Acceptor, settings: demand, start: start(Acceptor, demand)},
		{role: Acceptor, settings: verify, start: start(Acceptor, verify), only: sample},
		{role: Acceptor, start: start(Acceptor, nil), only: sample},
		{role: Initiator, settings: server, start: start(Initiator, server)},
		{role: Initiator, settings: wild, start: start(Initiator, wild), only: func(v Variant) bool { return v.Group == "name" }},
		{role: Initiator, start: start(Initiator, nil), only: sample},
	}
}

const asteriskFolder = "/edgelab/asterisk"

// asteriskFiles are Asterisk's configuration, by file name. What it would load by itself needs hardware or accounts.
var asteriskFiles = map[string]string{
	"asterisk.conf": `[directories]
astetcdir => ` + asteriskFolder + `
astvarlibdir => /var/lib/asterisk
astdbdir => /tmp/asterisk
astspooldir => /tmp/asterisk
astlogdir => /tmp/asterisk
astrundir => /tmp/asterisk
[options]
nofork = yes
verbose = 3
`,
	"logger.conf": "[general]\ndateformat=%T\n[logfiles]\nconsole => notice,warning,error\n",
	"modules.conf": `[modules]
autoload = no
load = res_sorcery_config.so
load = res_sorcery_memory.so
load = res_sorcery_astdb.so
load = res_pjproject.so
load = res_pjsip.so
load = res_pjsip_endpoint_identifier_anonymous.so
load = res_pjsip_notify.so
`,
	"pjsip_notify.conf": "[probe]\nEvent=>keep-alive\n",
}

// asteriskPJSIP sets method, since without it PJSIP speaks TLS 1.0 alone.
const asteriskPJSIP = `[global]
type = global
default_outbound_endpoint = anonymous
[tls]
type = transport
protocol = tls
bind = 127.0.0.1:5061
cert_file = ` + certPath + `
priv_key_file = ` + keyPath + `
ca_list_file = ` + storePath + `
method = sslv23
%s
[anonymous]
type = endpoint
transport = tls
context = probe
`

type asterisk struct {
	*bench
	p         *process
	role      Role
	stopNames func()
}

var asteriskReady = regexp.MustCompile(`Asterisk Ready`)

func startAsterisk(ctx context.Context, b *bench, role Role, settings map[string]string) (session, error) {
	var options strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&options, "%s = %s\n", name, settings[name])
	}
	files := maps.Clone(asteriskFiles)
	files["pjsip.conf"] = fmt.Sprintf(asteriskPJSIP, options.String())
	for name, text := range files {
		if err := b.WriteFile(asteriskFolder+"/"+name, []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	if err := b.WriteFile("/tmp/asterisk/made", nil, 0o644); err != nil {
		return nil, err
	}
	a := &asterisk{bench: b, role: role}
	var err error
	if a.stopNames, err = serveNames(ctx, b.sandbox); err != nil {
		return nil, err
	}
	if a.p, err = b.Start(ctx, "/usr/sbin/asterisk", "-f", "-n", "-v", "-C", asteriskFolder+"/asterisk.conf", "-c"); err == nil {
		_, err = a.p.Expect(ctx, 0, asteriskReady)
	}
	if err != nil {
		a.stop()
		return nil, err
	}
	return a, nil
}

func (a *asterisk) stop() {
	if a.p != nil {
		a.p.Stop()
	}
	a.stopNames()
}

// judged: Asterisk compares no name with the certificate of whoever connects.
func (a *asterisk) judged(c *Credential) string {
	if a.role == Acceptor {
		return ""
	}
	return c.sipDomain()
}

func (a *asterisk) probe(ctx context.Context, c *Credential, version uint16) (o Observation, err error) {
	mark := a.p.Mark()
	if a.role == Acceptor {
		o, err = sipAccept(ctx, a.Dial, sipAddr, c, version)
	} else {
		o, err = a.initiate(ctx, c, version)
	}
	if err != nil {
		return o, fmt.Errorf("%w; the product's last words: %s", err, tail(a.p.Log(mark)))
	}
	return o, nil
}

// initiate has Asterisk send a NOTIFY to the variant's domain, at a port of its own: it keeps its connections.
func (a *asterisk) initiate(ctx context.Context, c *Credential, version uint16) (Observation, error) {
	l, err := a.Listen(ctx, net.JoinHostPort(peerAddr, "0"))
	if err != nil {
		return Observation{}, err
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return Observation{}, err
	}
	mark := a.p.Mark()
	if err := a.p.Say("pjsip send notify probe uri sip:probe@" + c.sipDomain() + ":" + port + ";transport=tls"); err != nil {
		return Observation{}, err
	}
	o, err := sipAnswer(ctx, l, c, version)
	if err == nil && o.Outcome != Trusted {
		o.Detail = a.reason(ctx, mark, port, o.Detail)
	}
	return o, err
}

// reason reads what Asterisk logs about the connection to a port. About those that it accepts it says nothing.
func (a *asterisk) reason(ctx context.Context, mark int, port, otherwise string) string {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	m, err := a.p.Expect(ctx, mark, regexp.MustCompile(`verify_log_result: [^\n]*:`+port+` - ([^\n]+)\n`))
	if err != nil {
		return otherwise
	}
	return timeless(m[1])
}
