package main

import (
	"io"
	"slices"

	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/peers/conformance"
)

type conformanceCmd struct {
	Product []measuredProduct `placeholder:"NAME" help:"Only these: a product (prosody), one release of it (prosody/bookworm), or a policy (prosody-0.12). None: all."`
	Roots   string            `placeholder:"DIR" help:"Folder of the Debian roots that the products run in. Unset: EDGELAB_ROOTS, or edgelab/roots in your cache."`
	Install bool              `help:"First bring the roots that aren't there: as root, with debootstrap and a Debian mirror (EDGELAB_DEBIAN_MIRROR)."`
	Format  listFormat        `default:"text" placeholder:"FORMAT" help:"text or json."`
}

// Help says what is compared.
func (conformanceCmd) Help() string {
	return `The real products are started on this machine, in network namespaces of their own; each certificate variant is shown to each product in each role, and what it does is compared with the measurement that is part of edgelab and with what the product's policy says.

Exit codes: 0 all agree, 1 a row differs, 2 usage, 3 nothing could be measured, or a product not for a reason of its own.`
}

// Run measures and reports.
func (c *conformanceCmd) Run(a *app) error {
	names := words(c.Product)
	var progress io.Writer
	if a.terminal(a.err) {
		progress = a.err
	}
	if c.Install {
		if err := conformance.Install(a.ctx, c.Roots, names, progress); err != nil {
			return err
		}
	}
	r, err := conformance.Run(a.ctx, conformance.Options{Products: names, Roots: c.Roots, Progress: progress})
	if err != nil {
		return err
	}
	write := r.Text
	if c.Format == formatJSON {
		write = r.JSON
	}
	if err := a.write(write); err != nil {
		return err
	}
	return agreement(r)
}

// agreement returns the status that a report ends the program with. A row that differs is told before a product that
// couldn't be measured.
func agreement(r *conformance.Report) error {
	if r.Agrees() {
		return nil
	}
	unexpected := func(d conformance.Difference) bool { return !d.Expected }
	for _, p := range r.Products {
		if slices.ContainsFunc(p.Differences, unexpected) {
			return status(exitDiffers)
		}
	}
	return status(exitEnvironment)
}

type measuredProduct string

// Choices returns what can be measured: products, releases of them, and the policies that these have.
func (measuredProduct) Choices() []string {
	var all []string
	for _, p := range conformance.Products() {
		all = append(all, p.Name, p.ID(), p.Policy)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// UnmarshalText takes one of Choices.
func (m *measuredProduct) UnmarshalText(text []byte) error {
	*m = measuredProduct(text)
	if slices.Contains(m.Choices(), string(text)) {
		return nil
	}
	var names []string
	for _, p := range conformance.Products() {
		if !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
	}
	if near, ok := source.Nearest(string(text), m.Choices()); ok {
		names = []string{near}
	}
	return &choiceError{"--product", string(text), names}
}
