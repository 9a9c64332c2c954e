package policy

import (
	"errors"

	"github.com/edgelab/edgelab/lab/verdict"
)

// TwoCertificates is whether a product can show one certificate as the answering side and another as the connecting one,
// as an administrator needs it who must take the two EKUs from two CAs.
type TwoCertificates struct {
	Can    bool           `yaml:"can" json:"can"`
	Words  string         `yaml:"words" json:"words"` // how, or why not
	Source verdict.Source `yaml:"source" json:"source"`
}

func (t *TwoCertificates) check() error {
	if t == nil {
		return nil
	}
	if t.Words == "" {
		return errors.New("two-certificates: words are needed")
	}
	return checkSource(t.Source)
}

// TwoCertificates returns what is known of whether the product can show two certificates; known is false where no source
// says so.
func (p *Product) TwoCertificates() (t TwoCertificates, known bool) {
	if p.file.TwoCertificates == nil {
		return TwoCertificates{Words: "no source says whether it can"}, false
	}
	return *p.file.TwoCertificates, true
}

// ShowsTwo reports whether the product with the given ID can show two certificates, and in words why it can or can't.
func (c *Catalogue) ShowsTwo(id string) (can bool, why string) {
	p, ok := c.Product(id)
	if !ok {
		return false, "there is no such product"
	}
	t, known := p.TwoCertificates()
	if !known {
		return false, t.Words
	}
	return t.Can, t.Words + " [" + t.Source.Ref + "]"
}
