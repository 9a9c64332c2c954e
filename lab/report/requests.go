package report

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/request"
)

// A requested is one request that was written, in the JSON form.
type requested struct {
	Certificate string         `json:"certificate"`
	Order       plan.Order     `json:"order"`
	Paths       []string       `json:"paths"`
	Notes       []request.Note `json:"notes"`
}

type requestList struct {
	Version  int         `json:"version"`
	Requests []requested `json:"requests"`
}

// RequestsJSON writes which requests were written where.
func RequestsJSON(w io.Writer, list []request.Request, paths []string) error {
	out := requestList{Version: DocumentVersion, Requests: []requested{}}
	for _, r := range list {
		out.Requests = append(out.Requests, requested{r.Certificate.Key, r.Order, pathsOf(r, paths), some(r.Notes)})
	}
	return document(w, out)
}

// pathsOf picks a request's files: each is called like its certificate.
func pathsOf(r request.Request, paths []string) []string {
	out := []string{}
	for _, p := range paths {
		name := filepath.Base(p)
		if strings.TrimSuffix(name, filepath.Ext(name)) == r.Certificate.Key {
			out = append(out, p)
		}
	}
	return out
}

// RequestsText tells which requests were written where, what their forms can't say, and what to do next. scenario is the
// file that they are for. The text ends in a line break.
func RequestsText(list []request.Request, paths []string, scenario string, o Options) string {
	t := teller{style: style{o.Colour}, margin: "  "}
	for _, r := range list {
		fmt.Fprintf(&t, "%s: %s\n", t.style.bold(r.Certificate.Key), r.Certificate.Component)
		for _, p := range pathsOf(r, paths) {
			fmt.Fprintf(&t, "  %-*s  %s\n", widest(paths), p, content(p))
		}
		for _, n := range r.Notes {
			t.texts(string(n.Form)+" form", n.Detail)
		}
		t.WriteString("\n")
	}
	csr := ""
	for _, p := range paths {
		if csr == "" && filepath.Ext(p) == ".csr" {
			csr = p
		}
	}
	t.WriteString("Next\n")
	for i, step := range []string{
		"Look at the request: openssl req -in " + csr + " -noout -text -verify",
		"Either hand the .csr to the CA and keep the .key safe, it is the only copy and unencrypted; or run the .ps1 in the " +
			"Lync Server Management Shell, or certreq -new with the .inf, on the Edge Server: those make a key of their own there.",
		"What comes: edgelab lint bought.pem, and edgelab check --certificate bought.pem " + scenario,
	} {
		for j, line := range wrap(step, fieldWidth) {
			mark := "   "
			if j == 0 {
				mark = fmt.Sprintf("%d. ", i+1)
			}
			fmt.Fprintf(&t, "  %s%s\n", mark, line)
		}
	}
	return t.String()
}

func widest(list []string) int {
	n := 0
	for _, s := range list {
		n = max(n, len(s))
	}
	return n
}

// content says what a file is.
func content(path string) string {
	switch filepath.Ext(path) {
	case ".key":
		return "private key, for you alone"
	case ".csr":
		return "request, for the CA"
	case ".inf":
		return "the same request for certreq -new"
	case ".ps1":
		return "the same request for the Lync Server Management Shell"
	}
	return ""
}
