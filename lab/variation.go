package lab

import (
	"fmt"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/scenarios"
)

// Planned is the name of the variation that changes nothing.
const Planned = "planned"

// A Variation is the external certificate with one thing about it changed.
type Variation struct {
	Name  string `json:"name"`  // "planned", "san:sip.contoso.com", "eku:client", "+eku:client", "chain:leaf-only"
	Words string `json:"words"` // "without SAN sip.contoso.com"

	order plan.Order
}

// Kind is what a variation is about: the part of its name before the colon, without a sign.
func (v Variation) Kind() string {
	kind, _, _ := strings.Cut(strings.TrimPrefix(v.Name, "+"), ":")
	return kind
}

// Variations returns the scenario's external certificate as it is planned, followed by each way in which one thing about
// it can be otherwise: each SAN and each EKU taken away, the other of server and client EKU put on if it isn't there, no
// EKU extension, no intermediate sent, a key of the other family, and no CRL distribution point. The last EKU is only
// taken away together with the extension, since without one every usage is allowed.
func Variations(s scenarios.Scenario) ([]Variation, error) {
	o, err := s.Order(plan.External)
	if err != nil {
		return nil, err
	}
	out := []Variation{{Planned, "as planned", o}}
	add := func(name, words string, change func(*plan.Order)) {
		v := Variation{name, words, o}
		change(&v.order)
		out = append(out, v)
	}
	for i, n := range o.SANs {
		add("san:"+n.String(), "without SAN "+n.String(), func(o *plan.Order) { o.SANs = slices.Delete(slices.Clone(o.SANs), i, i+1) })
	}
	for i, u := range o.EKUs {
		if len(o.EKUs) > 1 {
			add("eku:"+string(u), "without EKU "+string(u), func(o *plan.Order) { o.EKUs = slices.Delete(slices.Clone(o.EKUs), i, i+1) })
		}
	}
	if len(o.EKUs) > 0 {
		for _, u := range []plan.Usage{plan.Server, plan.Client} {
			if !slices.Contains(o.EKUs, u) {
				add("+eku:"+string(u), "with EKU "+string(u)+" too", func(o *plan.Order) { o.EKUs = append(slices.Clone(o.EKUs), u) })
			}
		}
		add("eku:none", "without an EKU extension", func(o *plan.Order) { o.EKUs = nil })
	}
	if o.Chain != plan.ChainLeafOnly {
		add("chain:leaf-only", "without its intermediate sent along", func(o *plan.Order) { o.Chain = plan.ChainLeafOnly })
	}
	key := "ecdsa-p256"
	if strings.HasPrefix(o.Key, "ecdsa") {
		key = "rsa-2048"
	}
	add("key:"+key, "with a key of type "+key, func(o *plan.Order) { o.Key = key })
	if !o.NoCDP {
		add("cdp:none", "without a CRL distribution point", func(o *plan.Order) { o.NoCDP = true })
	}
	return out, nil
}

// A NameError is a word of a list that means nothing there.
type NameError struct {
	What, Name string
	Hint       string // what may have been meant; may be empty
}

func (e *NameError) Error() string { return fmt.Sprintf("there is no %s %q", e.What, e.Name) }

// PickVariations returns those of all that words mean, in the order of all: "all", a variation's name, what stands
// behind its colon, or its kind. The planned one is always among them. The error is a *NameError.
func PickVariations(all []Variation, words []string) ([]Variation, error) {
	picked := make([]bool, len(all))
	for _, word := range words {
		found := false
		for i, v := range all {
			_, value, _ := strings.Cut(v.Name, ":")
			if word == "all" || word == v.Name || word == value || word == v.Kind() {
				picked[i], found = true, true
			}
		}
		if !found {
			var names []string
			for _, v := range all {
				names = append(names, v.Name)
			}
			return nil, &NameError{"element", word, source.Suggest(word, names)}
		}
	}
	var out []Variation
	for i, v := range all {
		if picked[i] || v.Name == Planned {
			out = append(out, v)
		}
	}
	return out, nil
}
