package report

import (
	"encoding/json"
	"fmt"

	"github.com/edgelab/edgelab/lab"
)

// Read reads what JSON wrote. It accepts keys that it doesn't know. Its error says what is wrong with the text.
func Read(text []byte) (*lab.Result, error) {
	var r lab.Result
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("it isn't the JSON of a run: %w", err)
	}
	switch {
	case r.Version == 0 || r.Scenarios == nil || r.Controls == nil:
		return nil, fmt.Errorf("it isn't the JSON of a run: it has no version, scenarios or controls")
	case r.Version != lab.ResultVersion:
		return nil, fmt.Errorf("it is of version %d; this program reads version %d", r.Version, lab.ResultVersion)
	}
	for _, s := range r.Scenarios {
		for _, l := range s.Legs {
			if !l.Verdict.Valid() || !l.Expected.Valid() {
				return nil, fmt.Errorf("leg %s of %s has no verdict that this program knows: %q, expected %q", l.ID, s.Name, l.Verdict, l.Expected)
			}
		}
	}
	return &r, nil
}
