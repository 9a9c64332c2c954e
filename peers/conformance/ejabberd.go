package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// ejabberdSetups measure ejabberd as Debian packages it, with dialback, and with certificates alone.
func ejabberdSetups() []setup {
	var out []setup
	for _, role := range []Role{Acceptor, Initiator} {
		for _, value := range []string{"required", "required_trusted"} {
			out = append(out, setup{role: role, settings: map[string]string{"s2s_use_starttls": value}, start: startEjabberd(role, value)})
		}
	}
	return out
}

const ejabberdConfig = `loglevel: debug
hosts:
  - ` + xmppDomain + `
certfiles:
  - ` + certPath + `
  - ` + keyPath + `
ca_file: ` + storePath + `
s2s_cafile: ` + storePath + `
s2s_use_starttls: %s
s2s_max_retry_delay: 1
acme:
  auto: false
listen:
  -
    port: 5269
    ip: "127.0.0.1"
    module: ejabberd_s2s_in
  -
    port: 5347
    ip: "127.0.0.1"
    module: ejabberd_service
    hosts:
      ` + xmppComponent + `:
        password: ` + xmppSecret + `
modules:
  mod_disco: {}
  mod_s2s_dialback: {}
`

func startEjabberd(role Role, starttls string) func(context.Context, *bench) (session, error) {
	return func(ctx context.Context, b *bench) (session, error) {
		x := &xmppProduct{bench: b, role: role, decided: ejabberdDecided, reason: ejabberdReason}
		if err := x.startEjabberd(ctx, starttls); err != nil {
			x.stop()
			return nil, err
		}
		return x, nil
	}
}

func (x *xmppProduct) startEjabberd(ctx context.Context, starttls string) (err error) {
	if x.stopNames, err = serveNames(ctx, x.sandbox); err != nil {
		return err
	}
	if err := x.WriteFile("/edgelab/ejabberd.yml", fmt.Appendf(nil, ejabberdConfig, starttls), 0o644); err != nil {
		return err
	}
	code, err := filepath.Glob(x.root + "/usr/lib/*/ejabberd-*/ebin")
	if err != nil || len(code) == 0 {
		return errors.Join(err, errors.New("ejabberd's code isn't where Debian puts it"))
	}
	// Each start has a database of its own: a node doesn't forget an outgoing connection that failed.
	if err := os.RemoveAll(x.root + "/tmp/mnesia"); err != nil {
		return err
	}
	x.p, err = x.Start(ctx, "/usr/bin/env", "EJABBERD_CONFIG_PATH=/edgelab/ejabberd.yml", "EJABBERD_LOG_PATH=/tmp/ejabberd.log",
		"/usr/bin/erl", "-noinput", "-pa", strings.TrimPrefix(code[0], x.root), "-mnesia", "dir", `"/tmp/mnesia"`, "-s", "ejabberd")
	if err != nil {
		return err
	}
	return x.begin(ctx)
}

var (
	ejabberdDecided = regexp.MustCompile(`(Failed|Accepted) inbound s2s EXTERNAL|Failed to establish outbound`)
	ejabberdWhy     = regexp.MustCompile(`(?:Failed inbound s2s EXTERNAL authentication (\S+) -> [^\n]*?\): |` +
		`Failed to establish outbound s2s connection \S+ -> (\S+): Peer certificate rejected: )([^\n;"\x1b]+)`)
)

// ejabberdReason reads ejabberd's log (ejabberd_s2s_in, ejabberd_s2s_out). As initiator ejabberd closes the stream if a
// certificate doesn't satisfy it, and otherwise says nothing about it, so that the wire decides alone. The log is
// written late: it may still tell of the domain before.
func ejabberdReason(log, domain string) (good bool, why string) {
	for _, m := range ejabberdWhy.FindAllStringSubmatch(log, -1) {
		if m[1]+m[2] == domain {
			why = timeless(m[3])
		}
	}
	return true, why
}
