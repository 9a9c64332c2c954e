package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Format is a way to print a plan.
type Format string

// The formats: two for people, two for machines.
const (
	Table    Format = "table"
	Markdown Format = "markdown"
	JSON     Format = "json"
	YAML     Format = "yaml"
)

// Formats returns every format.
func Formats() []Format { return []Format{Table, Markdown, JSON, YAML} }

// Version is the version of the JSON and YAML forms.
const Version = 1

// Render writes p in the shape of Microsoft's certificate summaries (component, subject name, subject alternative
// names, comments), one table per CA that is asked, followed by the reason for each entry.
func Render(w io.Writer, p Plan, format Format) error {
	var text []byte
	var err error
	switch format {
	case Table:
		text = []byte(renderText(p))
	case Markdown:
		text = []byte(renderMarkdown(p))
	case JSON:
		text, err = renderJSON(p)
	case YAML:
		text, err = renderYAML(p)
	default:
		return fmt.Errorf("plan: no format is called %q; there are %v", format, Formats())
	}
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	_, err = w.Write(text)
	return err
}

func renderJSON(p Plan) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(struct {
		Version int `json:"version"`
		Plan
	}{Version, p})
	return b.Bytes(), err
}

// renderYAML turns the JSON form into block style, so that both have the same keys in the same order.
func renderYAML(p Plan) ([]byte, error) {
	text, err := renderJSON(p)
	if err != nil {
		return nil, err
	}
	var n yaml.Node
	if err := yaml.Unmarshal(text, &n); err != nil {
		return nil, err
	}
	plain(&n)
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(&n); err != nil {
		return nil, err
	}
	err = e.Close()
	return b.Bytes(), err
}

func plain(n *yaml.Node) {
	n.Style = 0
	for _, c := range n.Content {
		plain(c)
	}
}

// group is the certificates that one kind of CA is asked for.
type group struct {
	title        string
	certificates []Certificate
}

func groups(p Plan) []group {
	titles := []struct {
		ca    CAKind
		title string
	}{
		{PublicCA, "Public CA"},
		{PrivateCA, "Private CA"},
		{InternalCA, "Internal CA (a public one will do)"},
		{PartnerCA, "Partners' CAs"},
	}
	var all []group
	for _, t := range titles {
		g := group{title: t.title}
		for _, c := range p.Certificates {
			if c.CA == t.ca {
				g.certificates = append(g.certificates, c)
			}
		}
		if len(g.certificates) > 0 {
			all = append(all, g)
		}
	}
	return all
}

// Label returns the SAN as Microsoft's tables have it: with the namespace in brackets if it stands for one.
func (s SAN) Label() string {
	label := Name{s.Kind, s.Value}.String()
	if s.Note != "" {
		label += " (" + s.Note + ")"
	}
	return label
}

// Comments returns what the summary's last column says: CA, EKUs, key, assignment.
func (c Certificate) Comments() []string {
	ca := map[CAKind]string{
		PublicCA:   "Issued by a public CA.",
		InternalCA: "Issued by a private or a public CA.",
		PrivateCA:  "Issued by a private CA.",
		PartnerCA:  "Issued by the partner's CA.",
	}[c.CA]
	var usages []string
	for _, e := range c.EKUs {
		usages = append(usages, string(e.Usage))
	}
	eku := "EKU: " + strings.Join(usages, " and ") + "."
	for _, e := range c.EKUs {
		if e.Usage == Client && c.Key == External {
			eku = "EKU: server, and client for public IM with AOL."
		}
	}
	key := "Key: " + c.KeySpec.Type
	if c.KeySpec.Exportable {
		key += ", exportable"
	}
	lines := []string{ca, eku, key + "."}
	if len(c.AssignedTo) > 0 {
		lines = append(lines, "Assigned to "+c.assigned()+".")
	}
	return lines
}

func (c Certificate) assigned() string {
	var names []string
	for _, a := range c.AssignedTo {
		name := a.Service
		if a.Note != "" {
			name += " (" + a.Note + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// A reasons is one heading of the list that follows the tables, with its entries.
type reasons struct {
	title string
	rows  []reason
}

type reason struct {
	entry, why string
	source     Source
}

func reasonsOf(c Certificate) []reasons {
	all := []reasons{{"Subject name", []reason{{c.Subject, c.SubjectReason, c.SubjectSource}}}}
	names := reasons{title: "Subject alternative names"}
	for _, s := range c.SANs {
		names.rows = append(names.rows, reason{s.Label(), s.Reason, s.Source})
	}
	usages := reasons{title: "EKU"}
	for _, e := range c.EKUs {
		usages.rows = append(usages.rows, reason{string(e.Usage), e.Reason, e.Source})
	}
	key := reasons{title: "Key"}
	if c.KeySpec.Reason != "" {
		key.rows = []reason{{c.KeySpec.Type, c.KeySpec.Reason, c.KeySpec.Source}}
	}
	services := reasons{title: "Assigned to"}
	for _, a := range c.AssignedTo {
		services.rows = append(services.rows, reason{a.Service, assignment(a), a.Source})
	}
	for _, r := range []reasons{names, usages, key, services} {
		if len(r.rows) > 0 {
			all = append(all, r)
		}
	}
	return all
}

func assignment(a Assignment) string {
	switch {
	case a.Type == "":
		return a.Note
	case a.Note == "":
		return "-Type " + a.Type
	}
	return a.Note + "; -Type " + a.Type
}

// contradictions heads the list of choices.
const contradictions = "Where the sources contradict each other"

// label is the option as a list has it: with a mark if it is taken.
func (c Choice) label(o Option) string {
	taken, usual := o.Name == c.Taken, o.Name == c.Default
	switch {
	case taken && usual:
		return o.Name + " (taken, the default)"
	case taken:
		return o.Name + " (taken)"
	case usual:
		return o.Name + " (the default)"
	}
	return o.Name
}

// howToChoose says how to take another answer.
func howToChoose(c Choice) string {
	for _, o := range c.Options {
		if o.Name != c.Taken {
			return "another one: --choose " + c.Key + "=" + o.Name + ", or under choices: in the file"
		}
	}
	return ""
}

// sentences tells how many certificates there are.
func (s Staging) sentences() []string {
	servers := "1 Edge Server"
	if s.Servers > 1 {
		servers = fmt.Sprintf("%d Edge Servers", s.Servers)
	}
	return []string{
		fmt.Sprintf("%s, %d certificates.", servers, s.Usual),
		fmt.Sprintf("While A/V authentication is renewed with Set-CsCertificate -Roll, %d: %s.", s.Rolled, s.Words),
		s.Deadline + ".",
	}
}
