package report

import (
	"slices"
	"testing"

	"github.com/edgelab/edgelab/lab"
)

func TestTogether(t *testing.T) {
	got := together([]lab.Break{
		{Leg: "edge/a.com@n1 -> x", Reason: "r"}, {Leg: "edge/a.com@n2 -> x", Reason: "r"}, {Leg: "edge/a.com@n3 -> x", Reason: "other"},
		{Leg: "y -> edge@n1", Reason: "r"}, {Leg: "y -> edge@n2", Reason: "r"}, {Leg: "z -> edge", Reason: "r"}, {Leg: "u -> webconf@n1", Reason: "r"},
		{Leg: "u -> webconf@n3", Reason: "r"},
	})
	var legs []string
	for _, b := range got {
		legs = append(legs, b.Leg)
	}
	want := []string{"edge/a.com@n1,n2 -> x", "edge/a.com@n3 -> x", "y -> edge@n1,n2", "z -> edge", "u -> webconf@n1,n3"}
	if !slices.Equal(legs, want) {
		t.Errorf("%q, want %q", legs, want)
	}
}
