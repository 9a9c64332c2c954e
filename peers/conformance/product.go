package conformance

import (
	"context"
	"fmt"
	"strings"
)

// A Product is real software from one Debian release, and how it is measured.
type Product struct {
	Name     string // "prosody"
	Release  string // Debian's
	Policy   string // the policy that models it
	Packages []string
	Setup    string // how it is run, for the matrix
	version  string // the package whose version counts; "": the first of Packages
	setups   func() []setup
}

// ID names a product of a release: "prosody/trixie".
func (p Product) ID() string { return p.Name + "/" + p.Release }

// Products returns the products that are measured, in the order of the report.
func Products() []Product {
	var out []Product
	add := func(p Product, models ...[2]string) {
		for _, m := range models {
			p.Release, p.Policy = m[0], m[1]
			out = append(out, p)
		}
	}
	add(Product{Name: "openssl", Packages: []string{"openssl"}, setups: opensslSetups,
		Setup: "s_server -Verify 9 -verify_return_error; s_client -verify 9 -verify_return_error -verify_hostname NAME"},
		[2]string{"bookworm", "openssl-3.0"}, [2]string{"trixie", "openssl-3.5"}, [2]string{"sid", "openssl-3.6"})
	return out
}

// Version returns the version of the product that is in the Debian root at dir.
func (p Product) Version(ctx context.Context, s *sandbox) (string, error) {
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
