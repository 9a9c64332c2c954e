package report

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"html/template"
)

// inlineLegs is how many legs a page has as they are. The details of a leg take some ten kilobytes, and most of what
// they say is what other legs say too: a page with more legs than this packs them.
const inlineLegs = 100

// pack decides which legs are packed. Those that aren't as expected never are: they are what a report is opened for.
func (p *pager) pack() {
	p.page.Packed = p.page.Counts.Legs > inlineLegs
	for _, sc := range p.page.Scenarios {
		sc.Packed = p.page.Packed
		for _, l := range sc.Legs {
			l.Packed = p.page.Packed && !l.Shown()
		}
	}
}

// CertificatesID is the anchor of the part with its certificates. That of each certificate begins with it.
func (sc *pageScenario) CertificatesID() string { return sc.ID + "-certificate" }

// packed returns the scenario's pack: an element that holds a gzip stream in base64, of a JSON object in which each
// packed leg's anchor leads to its details in HTML, and CertificatesID to the certificates. It is empty if nothing is packed.
func packed(t *template.Template, sc *pageScenario) (template.HTML, error) {
	if !sc.Packed {
		return "", nil
	}
	details := map[string]string{}
	put := func(anchor, name string, data any) error {
		var b bytes.Buffer
		err := t.ExecuteTemplate(&b, name, data)
		details[anchor] = b.String()
		return err
	}
	if err := put(sc.CertificatesID(), "certificates", sc); err != nil {
		return "", err
	}
	for _, l := range sc.Legs {
		if !l.Packed {
			continue
		}
		if err := put(l.Anchor, "legbody", l); err != nil {
			return "", err
		}
	}
	var stream bytes.Buffer
	z, err := gzip.NewWriterLevel(&stream, gzip.BestCompression)
	if err != nil {
		return "", err
	}
	e := json.NewEncoder(z)
	e.SetEscapeHTML(false) // it isn't read as HTML before it is unpacked
	if err := e.Encode(details); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	text := base64.StdEncoding.EncodeToString(stream.Bytes())
	return template.HTML(`<script type="application/gzip" class="pack">` + text + "</script>\n"), nil //nolint:gosec // base64 has no markup
}
