package csexport

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/source"
)

// Namespaces of the supported schema.
const (
	nsTopology = "urn:schema:Microsoft.Rtc.Management.Deploy.Topology.2008"
	nsRoles    = "urn:schema:Microsoft.Rtc.Management.Deploy.ServiceRoles.2008"
	nsBuilder  = "urn:schema:Microsoft.Rtc.Management.Deploy.TopologyBuilder.2008"
	nsWritable = "urn:schema:Microsoft.Rtc.Management.Deploy.WritableTopology.2008"
)

// A Format is one of the two forms of a topology document.
type Format string

// The forms.
const (
	Published Format = "Get-CsTopology -AsXml"
	Builder   Format = "Topology Builder document (.tbxml)"
)

// roots are the supported root elements.
var roots = []struct {
	name   xml.Name
	format Format
}{
	{xml.Name{Space: nsTopology, Local: "Topology"}, Published},
	{xml.Name{Space: nsBuilder, Local: "TopologyBuilder"}, Builder},
}

// checkRoot refuses a document that is none of the two, and says what it is instead.
func (t *text) checkRoot(e *element) error {
	for _, r := range roots {
		if e.name == r.name {
			return nil
		}
	}
	supported := fmt.Sprintf("supported: <Topology xmlns=%q> and <TopologyBuilder xmlns=%q>", nsTopology, nsBuilder)
	for _, r := range roots {
		if e.name.Local != r.name.Local {
			continue
		}
		if e.name.Space == "" {
			return t.fault(e.pos, supported, "<%s> has no namespace, so the schema's version is unknown", e.name.Local)
		}
		return t.fault(e.pos, supported, "the schema %q of <%s> isn't supported", e.name.Space, e.name.Local)
	}
	switch {
	case e.name.Local == "Objs":
		return t.fault(e.pos, "a partner list goes beside the topology", "this is what Export-Clixml writes, not a topology")
	case strings.Contains(e.name.Space, "LegacyUserInput"):
		return t.fault(e.pos, supported, "this is an input file of Merge-CsLegacyTopology (Office Communications Server), not a topology")
	case e.name.Local == "DocItemSet" || e.name.Local == "AnchoredXml":
		return t.fault(e.pos, "run Get-CsTopology -AsXml", "this is a part of Export-CsConfiguration's archive, not a topology")
	}
	return t.fault(e.pos, supported, "<%s> isn't a topology", e.name.Local)
}

// known are the elements of published documents, whether or not a plan needs them.
var known = []string{
	"Topology", "InternalDomains", "InternalDomain", "Sites", "CentralSite", "RemoteSite", "Name", "Location", "Clusters", "Cluster",
	"ClusterId", "Machine", "NetInterface", "SqlInstances", "SqlInstance", "SqlInstanceId", "Services", "Service", "ServiceId",
	"DependsOn", "Dependency", "InstalledOn", // Topology.2008
	"TopologyBuilder", "NewTopology", "PartialTopology", "CentralSites", "RemoteSites", "Machines", // the builder's own
	"Ports", "Port", "RegistrarService", "FileStoreService", "WacService", "WebService", "ExternalSettings", "InternalSettings",
	"OverrideUrls", "ConfService", "MCUs", "MCU", "ApplicationServerService", "CentralMgmtService", // ServiceRoles.2008
	"SimpleUrlConfiguration", "SimpleUrl", "SimpleUrlEntry", "WebComponents", "Component", "UpaSeparator", // others
}

// unknownElements reports each kind of element that no published document has, with how often it is there and where
// first. A part that is unknown as a whole counts once.
func unknownElements(root *element) []Note {
	type kind struct {
		note  Note
		count int
	}
	var order []xml.Name
	found := map[xml.Name]*kind{}
	var visit func(e *element)
	visit = func(e *element) {
		if !slices.Contains(known, e.name.Local) || !strings.HasPrefix(e.name.Space, "urn:schema:Microsoft.Rtc.Management.") {
			if found[e.name] == nil {
				order = append(order, e.name)
				found[e.name] = &kind{note: Note{Pos: e.pos, Kind: Unknown}}
			}
			found[e.name].count++
			return
		}
		for _, c := range e.children {
			visit(c)
		}
	}
	visit(root)
	var notes []Note
	for _, name := range order {
		k := found[name]
		k.note.Message = fmt.Sprintf("<%s> isn't known here and was passed over (%d times; namespace %q)", name.Local, k.count, name.Space)
		notes = append(notes, k.note)
	}
	return notes
}

// A NoteKind says what a note asks of the reader.
type NoteKind string

// The kinds of note.
const (
	Ambiguous NoteKind = "ambiguous"       // the export doesn't settle it; the scenario file has the choice as a comment
	LeftOut   NoteKind = "left-out"        // it is in the export, and isn't part of a scenario
	Unknown   NoteKind = "unknown-element" // it is in the export, and nobody here knows what it means
	Invalid   NoteKind = "invalid"         // it is taken over as it stands, and the plan will refuse it
)

// A Note is something about an import that its reader should know.
type Note struct {
	source.Pos
	Kind    NoteKind `json:"kind"`
	Key     string   `json:"key,omitempty"` // the key of the scenario file that it is about: "layout"
	Message string   `json:"message"`
	Try     []string `json:"try,omitempty"` // lines of the scenario file that could stand instead
}

func (n Note) String() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s", n.File, n.Line, n.Column, n.Kind, n.Message)
}
