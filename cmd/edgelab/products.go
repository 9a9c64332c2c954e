package main

import (
	"io"

	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/peers/policy"
)

type productsCmd struct {
	List productsListCmd `cmd:"" default:"withargs" help:"List the products (this is also what products alone does)."`
	Show productsShowCmd `cmd:"" help:"Print a product's rules in words, with their sources."`
}

type productsListCmd struct {
	Format listFormat `default:"text" placeholder:"FORMAT" help:"text or json."`
}

// Help says what the numbers are.
func (productsListCmd) Help() string {
	return "The numbers say where a product's rules are from: from a standard or the vendor's documentation, measured on the real product, or unknown. What no source settles gives the verdict unknown."
}

// Run lists the products.
func (c productsListCmd) Run(a *app) error {
	policies, err := policy.Load()
	if err != nil {
		return err
	}
	list := report.Products(policies)
	if c.Format == formatJSON {
		return a.json(list)
	}
	return a.write(func(w io.Writer) error { return report.ProductsText(w, list) })
}

type productsShowCmd struct {
	ID     productID  `arg:"" help:"Its ID, as products lists it."`
	Format listFormat `default:"text" placeholder:"FORMAT" help:"text or json."`
}

// Run prints one product.
func (c productsShowCmd) Run(a *app) error {
	policies, err := policy.Load()
	if err != nil {
		return err
	}
	p, ok := policies.Product(string(c.ID))
	if !ok {
		return badUsage(source.Suggest(string(c.ID), policies.Names()), "there is no product %q", string(c.ID))
	}
	if c.Format == formatJSON {
		return a.json(report.ProductOf(p))
	}
	return a.result(report.ProductText(p, report.Options{Colour: a.colour(a.out)}))
}
