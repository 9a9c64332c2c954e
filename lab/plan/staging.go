package plan

import (
	"fmt"

	"github.com/edgelab/edgelab/lab/topology"
)

// A Staging says how many certificates there are while the A/V authentication certificate is renewed with -Roll, so that
// tokens of the old one stay good until they end.
type Staging struct {
	Servers  int    `json:"servers"`  // Edge Servers that each get all of them
	Usual    int    `json:"usual"`    // certificates of the Edge otherwise
	Rolled   int    `json:"rolled"`   // with -Roll
	Words    string `json:"words"`    // which they are
	Deadline string `json:"deadline"` // what must be done by when
	Source   Source `json:"source"`
}

// staging counts for a topology. The layouts differ in the number of servers alone.
func staging(t topology.Topology) Staging {
	s := Staging{
		Servers: max(1, len(t.Edge.Nodes)), Usual: 2, Rolled: 3, Source: roll,
		Words:    "Access Edge and Web Conferencing Edge; A/V authentication, a separate one; internal",
		Deadline: "-EffectiveDate is the old certificate's end less the life of a token, 8 hours by default",
	}
	if s.Servers > 1 {
		s.Words += fmt.Sprintf("; each on all %d servers with the same key", s.Servers)
		s.Deadline += "; every server of the pool is staged before the first one's -EffectiveDate"
	}
	return s
}
