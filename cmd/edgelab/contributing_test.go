package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/edgelab/edgelab/lab/judge"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
)

// The product that CONTRIBUTING.md adds loads beside the others, can be shown, and judges as the page says.
func TestAddAProduct(t *testing.T) {
	page, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "## Add a product")
	_, rest, _ = strings.Cut(rest, "```yaml\n")
	file, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("CONTRIBUTING.md shows no product")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../peers/policy")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "products", "example-sbc-1.yaml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	policies, err := policy.LoadFS(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	p, ok := policies.Product("example-sbc-1")
	if !ok {
		t.Fatal("the product isn't there")
	}
	if text := report.ProductText(p, report.Options{}); !strings.Contains(text, "a dNSName must be the host, without wildcards") {
		t.Errorf("products show prints\n%s", text)
	}
	j := judge.New(policies, time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
	const certs = "../../lab/judge/testdata/"
	row := func(role, chain, name string) judge.Row {
		return judge.Row{Product: "example-sbc-1", Role: role, Name: name, Chain: judge.Files{certs + chain}, Roots: judge.Files{certs + "root.pem"}}
	}
	lenient := row("acceptor", "chain-server.pem", "")
	lenient.Set = map[string]string{"verify-clients": "no"}
	for _, r := range []struct {
		row  judge.Row
		want verdict.Code
	}{
		{row("acceptor", "chain-server.pem", ""), verdict.ClientEKUMissing},
		{row("acceptor", "chain-both.pem", ""), verdict.Trusted},
		{lenient, verdict.Trusted},
		{row("initiator", "chain-server.pem", "sip.contoso.com"), verdict.Trusted},
		{row("initiator", "chain-server.pem", "www.contoso.com"), verdict.NameMismatch},
	} {
		got, err := j.Judge(r.row)
		if err != nil || got.Verdict != r.want {
			t.Errorf("%s, %s, %q: %s, %v; want %s", r.row.Role, r.row.Chain, r.row.Name, got.Verdict, err, r.want)
		}
	}
}
