package web

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
)

// products lists whom the lab can judge as.
func (s *Site) products(v *visit) error {
	return v.show(http.StatusOK, "products", Page{Title: "Products", Body: report.Products(s.policies)})
}

// product shows one product's rules.
func (s *Site) product(v *visit) error {
	id := v.r.PathValue("id")
	p, ok := s.policies.Product(id)
	if !ok {
		return &notFound{fmt.Sprintf("There is no product %q.", cut(id)), source.Suggest(id, s.policies.Names())}
	}
	return v.show(http.StatusOK, "product", Page{Title: p.Title(), View: "products", Body: report.ProductOf(p)})
}

// An explainBody is what the list of words shows.
type explainBody struct {
	Verdicts []verdict.Explanation
	Checks   []string
}

// explain lists what can be explained.
func (s *Site) explain(v *visit) error {
	b := explainBody{Checks: policy.CheckNames()}
	for _, c := range verdict.Codes() {
		page, err := verdict.Explain(c)
		if err != nil {
			return err
		}
		b.Verdicts = append(b.Verdicts, page)
	}
	return v.show(http.StatusOK, "explain", Page{Title: "Explain", Body: b})
}

// A wordBody is what is to be said of one verdict, check or rule.
type wordBody struct {
	Word  string
	Code  *verdict.Explanation
	Rules []*report.SharedRule
	Check bool
	Try   string // the address at which the verdict can be seen
}

// explainWord explains one word. A word can be a verdict and a check.
func (s *Site) explainWord(v *visit) error {
	word := v.r.PathValue("word")
	b := wordBody{Word: word, Rules: report.RulesOf(s.policies, word), Check: slices.Contains(policy.CheckNames(), word)}
	if page, err := verdict.Explain(verdict.Code(word)); err == nil {
		b.Code = &page
		switch r := page.Reproduce; {
		case r.Scenario != "":
			b.Try = State{Name: r.Scenario}.URL("lab")
		case r.File != "":
			b.Try = State{Text: r.File}.URL("lab")
		}
	}
	if b.Code == nil && len(b.Rules) == 0 && !b.Check {
		names := slices.Concat(policy.CheckNames(), s.policies.RuleIDs())
		for _, c := range verdict.Codes() {
			names = append(names, string(c))
		}
		return &notFound{fmt.Sprintf("There is no verdict, check or rule %q.", cut(word)), source.Suggest(word, names)}
	}
	return v.show(http.StatusOK, "word", Page{Title: "Explain " + word, View: "explain", Body: b})
}
