package conformance

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

func prosodySetups() []setup {
	var out []setup
	for _, role := range []Role{Acceptor, Initiator} {
		for _, secure := range []string{"true", "false"} {
			out = append(out, setup{role: role, settings: map[string]string{"s2s_secure_auth": secure}, start: startProsody(role, secure)})
		}
	}
	return out
}

const prosodyConfig = `run_as_root = true
pidfile = "/tmp/prosody.pid"
data_path = "/tmp/prosody"
interfaces = { "127.0.0.1" }
modules_enabled = { "saslauth", "tls", "dialback", "disco", "ping" }
c2s_ports = {}
c2s_direct_tls_ports = {}
s2s_direct_tls_ports = {}
s2s_secure_auth = %s
ssl = { certificate = "` + certPath + `", key = "` + keyPath + `", cafile = "` + storePath + `" }
log = { { levels = { min = "debug" }, to = "console" } }
VirtualHost "` + xmppDomain + `"
Component "` + xmppComponent + `"
	component_secret = "` + xmppSecret + `"
`

func startProsody(role Role, secure string) func(context.Context, *bench) (session, error) {
	return func(ctx context.Context, b *bench) (session, error) {
		x := &xmppProduct{bench: b, role: role, decided: prosodyDecided, reason: prosodyReason}
		var err error
		if x.stopNames, err = serveNames(ctx, b.sandbox); err != nil {
			return nil, err
		}
		if err = b.WriteFile("/edgelab/prosody.cfg.lua", []byte(fmt.Sprintf(prosodyConfig, secure)), 0o644); err == nil {
			if x.p, err = b.Start(ctx, "/usr/bin/prosody", "-F", "--config", "/edgelab/prosody.cfg.lua"); err == nil {
				err = x.begin(ctx)
			}
		}
		if err != nil {
			x.stop()
			return nil, err
		}
		return x, nil
	}
}

var (
	prosodyDecided  = regexp.MustCompile(`chain validation result: invalid|identity validation result: \w+\n`)
	prosodyChain    = regexp.MustCompile(`certificate chain validation result: (\w+)`)
	prosodyIdentity = regexp.MustCompile(`certificate identity validation result: (\w+)`)
	prosodyError    = regexp.MustCompile(`certificate error\(s\) at depth \d+: ([^\n]+)`)
)

// prosodyReason reads Prosody's debug log (mod_s2s_auth_certs).
func prosodyReason(log, _ string) (bool, string) {
	chain, identity := prosodyChain.FindStringSubmatch(log), prosodyIdentity.FindStringSubmatch(log)
	switch {
	case chain == nil:
		return false, ""
	case chain[1] != "valid":
		if m := prosodyError.FindStringSubmatch(log); m != nil {
			return false, "chain " + chain[1] + ": " + strings.TrimSpace(m[1])
		}
		return false, "chain " + chain[1]
	case identity == nil || identity[1] != "valid":
		return false, "identity invalid"
	}
	return true, ""
}
