package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
)

// Sources counts rules by where they are from.
type Sources struct {
	Documented int `json:"documented"`
	Measured   int `json:"measured"`
	Unknown    int `json:"unknown"`
}

func (s *Sources) add(k verdict.SourceKind) {
	switch k {
	case verdict.Documented:
		s.Documented++
	case verdict.Measured:
		s.Measured++
	default:
		s.Unknown++
	}
}

// A Product is a product's policy in one line.
type Product struct {
	ID       string                 `json:"product"`
	Title    string                 `json:"title"`
	Versions string                 `json:"versions"`
	Protocol string                 `json:"protocol"` // "sip", "xmpp", or "tls" for a bare stack
	Roles    []policy.Role          `json:"roles"`
	Stacks   map[policy.Role]string `json:"stacks"`
	Sources  Sources                `json:"sources"`
}

// A ProductPolicy is a product's policy in full.
type ProductPolicy struct {
	Product
	Note     string           `json:"note,omitempty"`
	Conduct  []policy.Conduct `json:"conduct"`
	Settings []policy.Setting `json:"settings"`
	Rules    []policy.Rule    `json:"rules"`
	// TwoCertificates is whether it can show one as a server and another as a client; nil: no source says.
	TwoCertificates *policy.TwoCertificates `json:"twoCertificates,omitempty"`
}

// Products returns a line for each product, sorted by ID.
func Products(c *policy.Catalogue) []Product {
	var out []Product
	for _, p := range c.Products() {
		out = append(out, ProductOf(p).Product)
	}
	return out
}

// ProductOf returns the policy of one product.
func ProductOf(p *policy.Product) ProductPolicy {
	out := ProductPolicy{
		Product: Product{ID: p.ID(), Title: p.Title(), Versions: p.Versions(), Protocol: p.Protocol(), Roles: p.Roles(), Stacks: map[policy.Role]string{}},
		Note:    p.Note(), Conduct: p.Conduct(), Settings: p.Settings(), Rules: p.Rules(),
	}
	if two, known := p.TwoCertificates(); known {
		out.TwoCertificates = &two
	}
	if out.Settings == nil {
		out.Settings = []policy.Setting{}
	}
	for _, role := range out.Roles {
		out.Stacks[role] = p.Stack(role)
	}
	for _, c := range out.Conduct {
		out.Sources.add(c.Source.Kind)
	}
	for _, s := range out.Settings {
		out.Sources.add(s.Source.Kind)
	}
	for _, r := range out.Rules {
		out.Sources.add(r.Source.Kind)
	}
	return out
}

// ProductsText writes the list as a table. The error is w's.
func ProductsText(w io.Writer, list []Product) error {
	b := bufio.NewWriter(w)
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PRODUCT\tPROTOCOL\tROLES\tDOCUMENTED\tMEASURED\tUNKNOWN\tNAME AND VERSIONS")
	for _, p := range list {
		name := p.Title
		if !strings.HasSuffix(name, p.Versions) {
			name += ", " + p.Versions
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%10d\t%8d\t%7d\t%s\n", p.ID, p.Protocol, roleNames(p.Roles), p.Sources.Documented, p.Sources.Measured, p.Sources.Unknown, name)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return b.Flush()
}

func roleNames(roles []policy.Role) string {
	if len(roles) == 2 {
		return "both"
	}
	return string(roles[0])
}

// ProductText tells a policy for people: how the product acts, its settings, and what it asks of a certificate, each
// with its source. The text ends in a line break.
func ProductText(p *policy.Product, o Options) string {
	s := style{o.Colour}
	full := ProductOf(p)
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %s\n", s.bold(full.ID), full.Title, full.Versions)
	fmt.Fprintf(&b, "protocol %s; %d rules documented, %d measured, %d unknown\n", full.Protocol, full.Sources.Documented, full.Sources.Measured, full.Sources.Unknown)
	for _, role := range full.Roles {
		fmt.Fprintf(&b, "as %s its TLS stack is %s\n", role, cmp.Or(full.Stacks[role], "none"))
	}
	if full.Note != "" {
		b.WriteString("\n" + Wrap("", full.Note))
	}
	if two := full.TwoCertificates; two != nil {
		can := "can't be given"
		if two.Can {
			can = "can be given"
		}
		b.WriteString("\n" + Wrap("", fmt.Sprintf("It %s a client certificate of its own beside the server's: %s [%s]", can, two.Words, two.Source.Ref)))
	}
	fmt.Fprintf(&b, "\n%s\n", s.bold("How it acts"))
	for _, c := range full.Conduct {
		fmt.Fprintf(&b, "\n  as %s%s\n", c.Role, under(c.Under))
		for _, w := range c.Words {
			b.WriteString(Wrap("    - ", w))
		}
		b.WriteString(sourceText(c.Source))
	}
	if len(full.Settings) > 0 {
		fmt.Fprintf(&b, "\n%s\n", s.bold("Settings (--set)"))
	}
	for _, set := range full.Settings {
		fmt.Fprintf(&b, "\n  %s=%s\n", set.Name, cmp.Or(set.Default, "(empty)"))
		b.WriteString(Wrap("    ", set.Words))
		if len(set.Values) > 0 {
			b.WriteString(Wrap("    ", "one of "+strings.Join(set.Values, ", ")))
		}
		if set.DefaultInitiator != set.Default {
			fmt.Fprintf(&b, "    packaged as %s where it connects\n", set.DefaultInitiator)
		}
		b.WriteString(sourceText(set.Source))
	}
	fmt.Fprintf(&b, "\n%s\n", s.bold("What it asks of a certificate, and what it does by itself"))
	for _, r := range full.Rules {
		b.WriteString("\n" + RuleText(r))
	}
	return b.String()
}

func under(settings map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		all = append(all, name+"="+strings.ReplaceAll(settings[name], "|", " or "))
	}
	if len(all) == 0 {
		return ""
	}
	return " with " + strings.Join(all, " and ")
}

func sourceText(s verdict.Source) string {
	text := string(s.Kind)
	if s.Ref != "" {
		text += ": " + s.Ref
	}
	return Wrap("    ", "["+text+"]")
}

// Wrap breaks text into lines of at most 100 characters where there are blanks. The first line begins with prefix, the
// others with as many blanks. The text ends in a line break.
func Wrap(prefix, text string) string {
	const width = 100
	var b strings.Builder
	line, indent := prefix, strings.Repeat(" ", len(prefix))
	empty := true
	for _, w := range strings.Fields(printable(text)) {
		if !empty && len(line)+1+len(w) > width {
			b.WriteString(line + "\n")
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+w, false
	}
	b.WriteString(line + "\n")
	return b.String()
}
