package conformance

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
)

// references returns every source of the policies' files that says measured or names rows of a matrix, by file.
func references(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	files := os.DirFS("../policy")
	err := fs.WalkDir(files, ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".yaml") || strings.HasPrefix(path, "testdata") {
			return err
		}
		data, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		var root yaml.Node
		if err := yaml.Unmarshal(data, &root); err != nil {
			return err
		}
		for _, s := range sources(&root) {
			if s["kind"] == string(verdict.Measured) || strings.Contains(s["ref"], "conformance row") {
				out[path] = append(out[path], s["ref"])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sources returns every mapping below n that has a ref.
func sources(n *yaml.Node) []map[string]string {
	var out []map[string]string
	if n.Kind == yaml.MappingNode {
		s := map[string]string{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			s[n.Content[i].Value] = n.Content[i+1].Value
		}
		if _, ok := s["ref"]; ok {
			out = append(out, s)
		}
	}
	for _, c := range n.Content {
		out = append(out, sources(c)...)
	}
	return out
}

var (
	namedRows  = regexp.MustCompile(`conformance rows? ([^:;]+)`)
	separator  = regexp.MustCompile(`, | and `)
	rowPattern = regexp.MustCompile(`^[a-z0-9*]+(-[a-z0-9*]+)*$`)
	version    = regexp.MustCompile(`\d+(\.\d+)+`)
	softwareID = map[string]string{"GnuTLS": "gnutls", "Go": "go", "Java": "java", "OTP": "erlang", "OpenSSL": "openssl",
		"Prosody": "prosody", "ejabberd": "ejabberd", "Kamailio": "kamailio", "Asterisk": "asterisk"}
)

// TestSourcesNameRows holds the policies to rows that exist: "Java 17.0.19, conformance rows eku-*, initiator" wants rows
// eku-* of the initiator in the matrix java-17.0.19.
func TestSourcesNameRows(t *testing.T) {
	committed, err := Committed()
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for path, refs := range references(t) {
		for _, ref := range refs {
			total++
			for _, lost := range lostRows(ref, committed) {
				t.Errorf("policy/%s: %q: %s", path, ref, lost)
			}
		}
	}
	if total < 20 {
		t.Errorf("only %d sources name rows; are the policies' files still where they were?", total)
	}
	t.Logf("%d sources name rows", total)
}

// lostRows says what in a source can't be found in the matrices.
func lostRows(ref string, committed []Matrix) []string {
	matrices, patterns, takes, lost := readSource(ref, committed)
	for _, m := range matrices {
		for _, pattern := range patterns {
			if !slices.ContainsFunc(m.Rows, func(r Row) bool { return globMatches(pattern, r.Variant) && takes(r) }) {
				lost = append(lost, m.ID()+" has no row "+pattern)
			}
		}
	}
	return lost
}

// readSource returns what a source names: matrices, patterns of variants, and whether it is about a row with such a
// variant. lost says what of it means nothing.
func readSource(ref string, committed []Matrix) (matrices []Matrix, patterns []string, takes func(Row) bool, lost []string) {
	parts := namedRows.FindStringSubmatch(ref)
	if parts == nil {
		return nil, nil, nil, []string{"names no rows"}
	}
	before, _, _ := strings.Cut(ref, "conformance row")
	matrices, lost = matricesNamed(before, committed)
	var role, tls string
	for _, word := range separator.Split(strings.TrimSpace(parts[1]), -1) {
		switch word = strings.TrimSpace(word); {
		case word == string(Acceptor) || word == string(Initiator):
			role = word
		case strings.HasPrefix(word, "TLS "):
			tls = strings.TrimPrefix(word, "TLS ")
		case rowPattern.MatchString(word):
			patterns = append(patterns, word)
		case strings.Contains(word, " "): // a setting and its value
		default:
			lost = append(lost, "what is "+word+"?")
		}
	}
	if len(patterns) == 0 {
		lost = append(lost, "names no rows")
	}
	takes = func(r Row) bool { return (role == "" || role == string(r.Role)) && (tls == "" || tls == r.TLS) }
	return matrices, patterns, takes, lost
}

// TestMeasuredRulesShow wants of each rule that says measured that the rows it names show it: without the rule the
// engine answers one of them at least otherwise.
func TestMeasuredRulesShow(t *testing.T) {
	committed, err := Committed()
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	engines := map[string]*engine{}
	rules := 0
	for _, p := range catalogue.Products() {
		for _, r := range p.Rules() {
			if r.Source.Kind != verdict.Measured || r.Check == "fact" {
				continue
			}
			matrices, patterns, takes, lost := readSource(r.Source.Ref, committed)
			if len(lost) > 0 {
				continue // TestSourcesNameRows says so
			}
			without := catalogue.Without(r.ID)
			asked, shown := false, false
			for _, m := range matrices {
				model, ok := catalogue.Product(m.Policy)
				if !ok || !slices.ContainsFunc(model.Rules(), func(o policy.Rule) bool { return o.ID == r.ID && o.Words == r.Words }) {
					continue
				}
				asked = true
				e, ok := engines[m.Date]
				if !ok {
					e = engineAt(t, m.Date)
					engines[m.Date] = e
				}
				lame := *e
				lame.catalogue = without
				shown = shown || slices.ContainsFunc(m.Rows, func(row Row) bool {
					if !takes(row) || !slices.ContainsFunc(patterns, func(p string) bool { return globMatches(p, row.Variant) }) {
						return false
					}
					with, err := e.judge(m.Policy, row)
					if err != nil {
						t.Fatal(err)
					}
					said, err := lame.judge(m.Policy, row)
					if err != nil {
						t.Fatal(err)
					}
					return said.Answer() != with.Answer()
				})
			}
			switch {
			case !asked: // the rule of a product that can't be measured, taken from another that can
			case !shown:
				t.Errorf("%s: without %s every row of %q is answered alike", p.ID(), r.ID, r.Source.Ref)
			default:
				rules++
			}
		}
	}
	t.Logf("%d measured rules show in their rows", rules)
}

// matricesNamed returns the matrices of the software and the versions that words name; all, where they name none.
func matricesNamed(words string, committed []Matrix) (found []Matrix, lost []string) {
	software, _, _ := strings.Cut(words, " ")
	name, ok := softwareID[software]
	if !ok {
		return committed, nil
	}
	for _, v := range version.FindAllString(words, -1) {
		i := slices.IndexFunc(committed, func(m Matrix) bool { return m.ID() == name+"-"+v })
		if i < 0 {
			lost = append(lost, "there is no matrix "+name+"-"+v)
			continue
		}
		found = append(found, committed[i])
	}
	if len(found)+len(lost) == 0 {
		lost = append(lost, "names no version of "+software)
	}
	return found, lost
}

func TestLostRows(t *testing.T) {
	committed := []Matrix{{Product: "java", Version: "17.0.19+10", Rows: []Row{{Variant: "eku-any", Role: Initiator, TLS: "1.3"}}}}
	for _, tt := range []struct {
		ref  string
		want int
	}{
		{"Java 17.0.19, conformance rows eku-*, initiator", 0},
		{"Java 17.0.19, conformance row eku-any: words of the product", 0},
		{"Java 17.0.19, conformance rows eku-* and ku-*", 1},
		{"Java 17.0.19, conformance rows eku-*, acceptor", 1},
		{"Java 17.0.19, conformance rows eku-*, TLS 1.2", 1},
		{"Java 17.0.18, conformance rows eku-*", 1},
		{"Java 17.0.19, conformance rows", 1},
		{"a page; conformance row eku-none", 1},
	} {
		if got := lostRows(tt.ref, committed); len(got) != tt.want {
			t.Errorf("%q: %q, want %d", tt.ref, got, tt.want)
		}
	}
}
