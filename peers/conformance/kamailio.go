package conformance

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"strings"
	"time"
)

// kamailioSetups measure the tls module's own judgement; it compares no names unless a script does.
func kamailioSetups() []setup {
	tls := func(verify, require string) map[string]string {
		return map[string]string{"verify_certificate": verify, "require_certificate": require}
	}
	demanding, optional, packaged := tls("yes", "yes"), tls("yes", "no"), tls("no", "no")
	crl := map[string]string{"verify_certificate": "yes", "require_certificate": "yes", "crl": "yes"}
	start := func(role Role, settings map[string]string) func(context.Context, *bench) (session, error) {
		return func(ctx context.Context, b *bench) (session, error) { return startKamailio(ctx, b, role, settings) }
	}
	var out []setup
	for _, role := range []Role{Acceptor, Initiator} {
		out = append(out,
			setup{role: role, settings: demanding, start: start(role, demanding)},
			setup{role: role, settings: optional, start: start(role, optional), only: sample},
			setup{role: role, settings: packaged, start: start(role, packaged), only: sample},
			setup{role: role, settings: crl, start: start(role, crl), only: aboutRevocation})
	}
	return out
}

// sample keeps a few variants, one of each kind of fault, for settings that are expected to change all of them alike.
func sample(v Variant) bool {
	switch v.Name {
	case "eku-both", "eku-server", "eku-client", "ku-cert-sign", "ext-critical-leaf", "chain-missing-intermediate",
		"chain-untrusted-root", "self-signed", "expired-leaf", "expired-root", "key-leaf-rsa-1024", "sig-leaf-sha1", "name-wrong",
		"cn-only", "wildcard", "no-certificate":
		return true
	}
	return false
}

const kamailioConfig = `#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=2
enable_tls=yes
listen=udp:127.0.0.1:5060
listen=tls:127.0.0.1:5061
loadmodule "tls.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
modparam("tls", "config", "/edgelab/kamailio-tls.cfg")
request_route {
	if (proto == TLS || $rU == "ready") {
		sl_send_reply("200", "OK");
		exit;
	}
	if (!t_relay()) {
		sl_reply_error();
	}
}
`

const kamailioTLS = `[server:default]
method = TLSv1.2+
private_key = ` + keyPath + `
certificate = ` + certPath + `
ca_list = ` + storePath + `
%[1]s
[client:default]
method = TLSv1.2+
private_key = ` + keyPath + `
certificate = ` + certPath + `
ca_list = ` + storePath + `
%[1]s
`

type kamailio struct {
	*bench
	p         *process
	role      Role
	stopNames func()
}

func startKamailio(ctx context.Context, b *bench, role Role, settings map[string]string) (session, error) {
	var options strings.Builder
	for _, name := range []string{"verify_certificate", "require_certificate"} {
		fmt.Fprintf(&options, "%s = %s\n", name, settings[name])
	}
	if settings["crl"] != "" {
		fmt.Fprintf(&options, "crl = %s\n", crlPath)
	}
	if err := b.WriteFile("/edgelab/kamailio.cfg", []byte(kamailioConfig), 0o644); err != nil {
		return nil, err
	}
	if err := b.WriteFile("/edgelab/kamailio-tls.cfg", []byte(fmt.Sprintf(kamailioTLS, options.String())), 0o644); err != nil {
		return nil, err
	}
	k := &kamailio{bench: b, role: role}
	var err error
	if k.stopNames, err = serveNames(ctx, b.sandbox); err != nil {
		return nil, err
	}
	if k.p, err = b.Start(ctx, "/usr/sbin/kamailio", "-f", "/edgelab/kamailio.cfg", "-DD", "-E", "-m", "256", "-x", "fm", "-Y", "/tmp", "-P", "/tmp/kamailio.pid"); err != nil {
		k.stop()
		return nil, err
	}
	if err := k.ready(ctx); err != nil {
		k.stop()
		return nil, fmt.Errorf("%w; its last words: %s", err, tail(k.p.Log(0)))
	}
	return k, nil
}

// ready asks over UDP until there is an answer: the TLS port takes connections long before there is anybody to serve
// them, since each process loads the trust store first.
func (k *kamailio) ready(ctx context.Context) error {
	udp, err := k.Dial(ctx, "udp", "127.0.0.1:5060")
	if err != nil {
		return err
	}
	defer func() { _ = udp.Close() }()
	buf := make([]byte, 4096)
	for ctx.Err() == nil {
		_, _ = fmt.Fprint(udp, optionsRequest("sip:ready@product.example", "UDP", udp.LocalAddr().String(), "product.example", "ready"))
		if err := udp.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			return err
		}
		if _, err := udp.Read(buf); err == nil {
			return nil
		}
		select { // a refused datagram fails at once
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

func (k *kamailio) stop() {
	if k.p != nil {
		k.p.Stop()
	}
	k.stopNames()
}

func (k *kamailio) judged(*Credential) string { return "" }

func (k *kamailio) probe(ctx context.Context, c *Credential, version uint16) (o Observation, err error) {
	mark := k.p.Mark()
	if k.role == Acceptor {
		o, err = sipAccept(ctx, k.Dial, sipAddr, c, version)
	} else {
		o, err = k.initiate(ctx, c, version)
	}
	if err != nil {
		return o, fmt.Errorf("%w; the product's last words: %s", err, tail(k.p.Log(mark)))
	}
	if o.Outcome != Trusted {
		o.Detail = k.reason(ctx, mark, o.Detail)
	}
	return o, nil
}

// initiate has Kamailio relay an OPTIONS to the variant's domain, at a port of its own: it would take a connection to
// an address that it knows for an old one.
func (k *kamailio) initiate(ctx context.Context, c *Credential, version uint16) (Observation, error) {
	l, err := k.Listen(ctx, net.JoinHostPort(peerAddr, "0"))
	if err != nil {
		return Observation{}, err
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return Observation{}, err
	}
	udp, err := k.Dial(ctx, "udp", "127.0.0.1:5060")
	if err != nil {
		return Observation{}, err
	}
	defer func() { _ = udp.Close() }()
	target := "sip:" + c.sipDomain() + ":" + port + ";transport=tls"
	if _, err := fmt.Fprint(udp, optionsRequest(target, "UDP", udp.LocalAddr().String(), "product.example", branchOf(c, version))); err != nil {
		return Observation{}, err
	}
	return sipAnswer(ctx, l, c, version)
}

var (
	kamailioFailed = regexp.MustCompile(`tls_err_ret\(\)[^\n]*error:[0-9A-F]+:[^:\n]*:[^:\n]*:([^\n]+)\n`)
	kamailioVerify = regexp.MustCompile(`verify_callback[^\n]*: (?:verify error|error)[^\n]*:([^\n]+)\n`)
)

func (k *kamailio) reason(ctx context.Context, mark int, otherwise string) string {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	m, err := k.p.Expect(ctx, mark, kamailioFailed)
	if v := kamailioVerify.FindStringSubmatch(k.p.Log(mark)); v != nil {
		return strings.TrimSpace(v[1])
	}
	if err != nil {
		return otherwise
	}
	return strings.TrimSpace(strings.SplitN(m[1], "(", 2)[0])
}
