package plan

import (
	"strings"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
)

// A Choice is a question on which the topics contradict each other, and how the plan answers it.
type Choice struct {
	Key      string   `json:"key"` // as in a scenario file's choices
	Question string   `json:"question"`
	Taken    string   `json:"taken"`
	Default  string   `json:"default"`
	Why      string   `json:"why"` // the default is the default
	Options  []Option `json:"options"`
}

// An Option is one answer.
type Option struct {
	Name   string         `json:"name"`
	Words  string         `json:"words"`
	Source verdict.Source `json:"source"`
}

// choices returns the questions that matter to a topology.
func choices(t topology.Topology) []Choice {
	var all []Choice
	for _, open := range t.Open() {
		c := Choice{Key: open.Key, Question: open.Question, Taken: t.Chosen(open.Key), Default: open.Options[0].Name, Why: open.Why}
		for _, o := range open.Options {
			ref := o.Source
			if strings.HasPrefix(ref, `"`) {
				ref = "topic " + ref
			}
			c.Options = append(c.Options, Option{o.Name, o.Words, Source{Kind: verdict.Documented, Ref: "Lync Server 2013, " + ref}})
		}
		all = append(all, c)
	}
	return all
}

// sourceOf returns the source of the option that is taken.
func sourceOf(t topology.Topology, key string) Source {
	for _, c := range choices(t) {
		for _, o := range c.Options {
			if c.Key == key && o.Name == c.Taken {
				return o.Source
			}
		}
	}
	return summary
}
