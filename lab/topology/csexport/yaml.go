package csexport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/edgelab/edgelab/lab/topology"
)

// width is how long a line of a comment gets, in bytes.
const width = 110

// YAML returns a scenario file for an import. What the export doesn't settle stands above the line that it is about,
// followed by the lines that could stand instead, as comments; so do the addresses, which a scenario does not have.
// The loader of package scenarios takes the file as it is, unless a note of kind Invalid says otherwise.
func YAML(i Import) []byte {
	w := writer{i: i}
	w.comment("", fmt.Sprintf("Imported from %s (%s).", path.Base(strings.ReplaceAll(i.File, `\`, "/")), i.Format))
	w.comment("", "A comment that begins with ambiguous: is for you to settle: the export doesn't. The lines below it, if any, are what could stand instead.")
	w.machines()
	w.unknown()
	w.line("")
	w.line("title: " + quoted("Imported from "+path.Base(strings.ReplaceAll(i.File, `\`, "/"))))
	w.edge()
	w.list("", "sip-domains", i.Topology.SIPDomains)
	w.list("", "xmpp-domains", i.Topology.XMPPDomains)
	w.beside()
	w.partners()
	return []byte(w.String())
}

type writer struct {
	strings.Builder
	i Import
}

func (w *writer) line(s string) { w.WriteString(s + "\n") }

// comment writes text as comment lines of the usual width.
func (w *writer) comment(indent, text string) {
	line := indent + "#"
	for word := range strings.FieldsSeq(printable(text)) {
		if len(line)+1+len(word) > width && strings.TrimSpace(line) != "#" {
			w.line(line)
			line = indent + "#"
		}
		line += " " + word
	}
	w.line(line)
}

func (w *writer) machines() {
	for _, p := range w.i.Pools {
		w.comment("", fmt.Sprintf("Edge pool %s (ServiceVersion %d), next hop %s:", p.FQDN, p.ServiceVersion, p.NextHop))
		for _, m := range p.Machines {
			text := "  " + m.FQDN + ", internal " + words(m.Internal) + ", external"
			for _, a := range m.External {
				text += " " + a.IP.String()
				if a.Public.IsValid() {
					text += " (public: " + a.Public.String() + ")"
				}
			}
			w.line("#   " + printable(strings.TrimSpace(text)))
		}
	}
}

// beside writes what stands on the plan beside the Edge.
func (w *writer) beside() {
	if r := w.i.Topology.ReverseProxy; r.Deployed() {
		w.line("reverse-proxy:")
		w.list("  ", "web", r.Web)
		w.list("  ", "simple-urls", r.SimpleURLs)
	} else if urls := w.i.Web.SimpleURLs; len(urls) > 0 {
		w.comment("", "The reverse proxy publishes "+strings.Join(urls, ", ")+"; the export doesn't say what its external web services are called.")
	}
	if d := w.i.Topology.Director; d.Deployed() {
		w.line("director:")
		w.list("  ", "nodes", d.Nodes)
	}
}

func words[T fmt.Stringer](list []T) string {
	s := make([]string, len(list))
	for i, v := range list {
		s[i] = v.String()
	}
	return strings.Join(s, " ")
}

// unknown lists the notes that belong to no key.
func (w *writer) unknown() {
	for _, n := range w.i.Notes {
		if n.Kind == Unknown {
			w.comment("", n.String())
		}
	}
}

// notes writes what is noted about a key, above it.
func (w *writer) notes(indent, key string) {
	for _, n := range w.i.Notes {
		if n.Key != key {
			continue
		}
		w.comment(indent, fmt.Sprintf("%s: %s [%s:%d:%d]", n.Kind, n.Message, n.File, n.Line, n.Column))
		for _, try := range n.Try {
			w.line(indent + "# " + try)
		}
	}
}

func (w *writer) edge() {
	e := w.i.Topology.Edge
	w.notes("", "edge")
	w.line("edge:")
	for _, f := range []struct{ key, value string }{
		{"layout", string(e.Layout)}, {"product", e.Product}, {"access", e.Access}, {"webconf", e.WebConf}, {"internal", e.Internal}, {"next-hop", e.NextHop},
	} {
		w.notes("  ", f.key)
		w.notes("  ", "edge."+f.key)
		if f.value != "" {
			w.line("  " + f.key + ": " + quoted(f.value))
		}
	}
	if len(e.Nodes) > 0 {
		w.list("  ", "nodes", e.Nodes)
	}
	w.comment("  ", "ambiguous: partner discovery isn't part of a topology; Get-CsAccessEdgeConfiguration tells (EnablePartnerDiscovery)")
	w.line("  # discovery: true")
}

func (w *writer) list(indent, key string, values []string) {
	w.notes(indent, key)
	if len(values) == 0 {
		return
	}
	quotedValues := make([]string, len(values))
	for i, v := range values {
		quotedValues[i] = quoted(v)
	}
	w.line(indent + key + ": [" + strings.Join(quotedValues, ", ") + "]")
}

func (w *writer) partners() {
	if len(w.i.Partners) == 0 {
		w.comment("", "ambiguous: partners aren't part of a topology; give their lists too ("+join(ListKinds())+"), or write them here")
		w.line("# partners:")
		w.line("#   - {name: litware, domain: litware.com, protocol: sip, product: lync-2013}")
		return
	}
	head := "partners:"
	if len(w.i.Topology.Partners) == 0 {
		head = "# " + head
	}
	w.line(head)
	for _, p := range w.i.Partners {
		w.partner(p)
	}
}

func (w *writer) partner(p Partner) {
	for _, a := range p.Assumed {
		w.comment("  ", "ambiguous: "+a)
	}
	prefix := "  "
	if p.LeftOut != "" {
		w.comment("  ", fmt.Sprintf("%s: %s [%s:%d]", LeftOut, p.LeftOut, p.File, p.Line))
		prefix = "  # "
	}
	fields := []string{"name: " + quoted(p.Name)}
	for _, f := range []struct{ key, value string }{
		{"domain", p.Domain}, {"protocol", string(p.Protocol)}, {"product", p.Product}, {"host", p.Host}, {"listing", string(p.Listing)},
	} {
		if f.value != "" {
			fields = append(fields, f.key+": "+quoted(f.value))
		}
	}
	if p.XMPP != (topology.Allowed{}) {
		fields = append(fields, fmt.Sprintf("xmpp: {tls: %s, sasl: %s, dialback: %t, keep-alive: %t}", p.XMPP.TLS, p.XMPP.SASL, p.XMPP.Dialback, p.XMPP.KeepAlive))
	}
	w.line(prefix + "- {" + strings.Join(fields, ", ") + "}")
}

// quoted writes a string as YAML reads it back, in a flow or out of it.
func quoted(s string) string {
	plain := s != ""
	for _, c := range s {
		plain = plain && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' && s[0] != '-')
	}
	if plain {
		var v any
		if err := yaml.Unmarshal([]byte(s), &v); err == nil && v == any(s) {
			return s
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b) // what JSON quotes, YAML reads
	e.SetEscapeHTML(false)
	if err := e.Encode(printable(s)); err != nil {
		return `""`
	}
	return strings.TrimSpace(b.String())
}

// printable keeps a comment on its line, whatever the export holds.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == '\ufeff' || r == '\ufffe' || r == '\uffff' {
			return '·'
		}
		return r
	}, s)
}
