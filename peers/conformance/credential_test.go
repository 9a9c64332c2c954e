package conformance

import (
	"testing"
	"time"
)

func TestEveryVariantCanBeMade(t *testing.T) {
	f := newForge(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
	seen := map[string]bool{}
	for _, v := range Variants() {
		if seen[v.Name] {
			t.Errorf("two variants are called %s", v.Name)
		}
		seen[v.Name] = true
		if v.Asks == "" || v.Group == "" {
			t.Errorf("%s: Asks and Group must say what it is for", v.Name)
		}
		c, err := f.make(v)
		if err != nil {
			t.Error(err)
			continue
		}
		if len(c.Presented) == 0 && !v.NoCertificate {
			t.Errorf("%s presents nothing", v.Name)
		}
	}
	if len(seen) < 60 {
		t.Errorf("%d variants, want at least 60", len(seen))
	}
	t.Logf("%d variants", len(seen))
}
