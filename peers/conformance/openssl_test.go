package conformance

import (
	"os"
	"strings"
	"testing"
)

// TestMeasureOnly is for development.
func TestMeasureOnly(t *testing.T) {
	ps := os.Getenv("P")
	if ps == "" {
		t.Skip()
	}
	rs, err := Measure(t.Context(), Options{Products: strings.Split(ps, ","), Progress: os.Stdout})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rs {
		if r.Err != nil {
			t.Error(r.Err)
			continue
		}
		data, err := r.Measured.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		os.WriteFile("matrix/"+r.Measured.ID()+".json", data, 0o644)
	}
}
