package conformance

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// A Product is real software from one Debian release, and how it is measured.
type Product struct {
	Name     string // "prosody"
	Release  string // Debian's; "": the product is the Go toolchain that this program is built with
	Policy   string // the policy that models it
	Packages []string
	Setup    string // how it is run, for the matrix
	bare     bool   // it is a TLS stack by itself
	thorough bool   // it is asked every variant, and not only those that every product is
	version  string // the package whose version counts; "": the first of Packages
	setups   func() []setup
}

// asks reports whether the product is asked a variant.
func (p Product) asks(v Variant) bool { return (!v.Thorough || p.thorough) && (!v.Bare || p.bare) }

// ID names a product of a release: "prosody/trixie".
func (p Product) ID() string { return strings.TrimSuffix(p.Name+"/"+p.Release, "/") }

// thorough are the IDs of the products that are asked every variant: one release of each stack, since most variants are
// about what doesn't change from one to the next, and what does has its variant for all.
var thorough = []string{"openssl/bookworm", "gnutls/bookworm", "go", "java/bookworm", "java/sid", "erlang/trixie", "prosody/bookworm",
	"prosody/trixie", "prosody/sid"}

// Products returns the products that are measured, in the order of the report.
func Products() []Product {
	var out []Product
	add := func(p Product, models ...[2]string) {
		for _, m := range models {
			p.Release, p.Policy = m[0], m[1]
			p.thorough = slices.Contains(thorough, p.ID())
			out = append(out, p)
		}
	}
	add(Product{Name: "openssl", bare: true, Packages: []string{"openssl"}, setups: opensslSetups,
		Setup: "s_server -Verify 9 -verify_return_error; s_client -verify 9 -verify_return_error -verify_hostname NAME"},
		[2]string{"bookworm", "openssl-3.0"}, [2]string{"trixie", "openssl-3.5"}, [2]string{"sid", "openssl-3.6"})
	gnutls := Product{Name: "gnutls", bare: true, Packages: []string{"gnutls-bin"}, setups: gnutlsSetups(false),
		Setup: "gnutls-serv --require-client-cert --verify-client-cert; gnutls-cli --verify-hostname NAME"}
	add(gnutls, [2]string{"bookworm", "gnutls-3.7"}, [2]string{"trixie", "gnutls-3.8"})
	gnutls.setups = gnutlsSetups(true)
	add(gnutls, [2]string{"sid", "gnutls-3.8"})
	add(Product{Name: "go", bare: true, setups: goSetups,
		Setup: "crypto/tls with RequireAndVerifyClientCert; ServerName NAME"}, [2]string{"", "go"})
	java := Product{Name: "java", bare: true, setups: javaSetups,
		Setup: "SSLSocket with setNeedClientAuth(true), default trust manager; endpoint identification HTTPS"}
	for _, m := range [][3]string{{"bookworm", "17"}, {"trixie", "21"}, {"sid", "25"}} {
		java.Packages = []string{"openjdk-" + m[1] + "-jdk-headless"}
		add(java, [2]string{m[0], "java-" + m[1]})
	}
	add(Product{Name: "erlang", bare: true, Packages: []string{"erlang-base", "erlang-ssl"}, setups: erlangSetups,
		Setup: "ssl with {verify, verify_peer}, {fail_if_no_peer_cert, true}; {server_name_indication, NAME}"},
		[2]string{"bookworm", "erlang-25"}, [2]string{"trixie", "erlang-27"}, [2]string{"sid", "erlang-29"})
	add(Product{Name: "prosody", Packages: []string{"prosody", "lua-unbound"}, setups: prosodySetups,
		Setup: "VirtualHost with mod_saslauth, mod_tls, mod_dialback; cafile holds the store"},
		[2]string{"bookworm", "prosody-0.12"}, [2]string{"trixie", "prosody-13"}, [2]string{"sid", "prosody-13"})
	add(Product{Name: "ejabberd", Packages: []string{"ejabberd"}, setups: ejabberdSetups,
		Setup: "mod_s2s_dialback loaded; ca_file holds the store; as initiator it is made to by a component's ping to NAME"},
		[2]string{"bookworm", "ejabberd-23"}, [2]string{"trixie", "ejabberd-24"}, [2]string{"sid", "ejabberd-25.08"})
	add(Product{Name: "kamailio", Packages: []string{"kamailio", "kamailio-tls-modules"}, setups: kamailioSetups,
		Setup: "tls module with ca_list; as initiator it relays an OPTIONS to sip:NAME;transport=tls"},
		[2]string{"bookworm", "kamailio-5.6"}, [2]string{"trixie", "kamailio-6.0"}, [2]string{"sid", "kamailio-6.1"})
	add(Product{Name: "asterisk", Packages: []string{"asterisk"}, setups: asteriskSetups,
		Setup: "res_pjsip with a TLS transport and ca_list_file; as initiator it sends a NOTIFY to sip:probe@NAME;transport=tls"},
		[2]string{"sid", "asterisk-22"})
	return out
}

// Version returns the version of the product that is in the Debian root at dir.
func (p Product) Version(ctx context.Context, s *sandbox) (string, error) {
	if p.Release == "" {
		return strings.TrimPrefix(runtime.Version(), "go"), nil
	}
	pkg := p.version
	if pkg == "" {
		pkg = p.Packages[0]
	}
	out, err := s.Run(ctx, "/usr/bin/dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Version}\n", pkg)
	status, version, _ := strings.Cut(strings.TrimSpace(out), " ")
	if err != nil || !strings.HasPrefix(status, "ii") {
		return "", fmt.Errorf("%s isn't installed in the %s root: %s", pkg, p.Release, strings.TrimSpace(out))
	}
	return strings.TrimSpace(version), nil
}
