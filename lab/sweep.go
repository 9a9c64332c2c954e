package lab

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

// SweepVersion is the version of a Sweep's JSON form.
const SweepVersion = 1

// sweepDomain is the domain below which the products of a sweep have theirs.
const sweepDomain = "sweep.example"

// legsPerWorld bounds what stands at a time: listeners, file descriptors, and the evidence of the legs of a world, which
// is let go with it.
const legsPerWorld = 400

// A Sweep is every product put to every variation of a deployment's external certificate, in both directions.
type Sweep struct {
	Name       string
	Title      string
	File       string
	At         time.Time
	Seed       uint64
	Question   string // digest of the deployment and the policies: rows of two sweeps go together if it is the same
	Complete   bool   // every leg was made
	Products   []SweepProduct
	Variations []Variation
	Legs       []SweepLeg
	Rows       []SweepRow // sorted by variation and leg; of an incomplete sweep, those that were made
	Duration   time.Duration
}

// A SweepProduct is a product that stands in for a partner, with its settings as packaged.
type SweepProduct struct {
	ID       string            `json:"id"`
	Protocol topology.Protocol `json:"protocol"`
}

// A SweepLeg is one leg that each variation is tried on.
type SweepLeg struct {
	ID       string
	Product  int // in Products
	FromEdge bool
	Own      string // the own domain
}

// A SweepRow is what became of one leg with one variation.
type SweepRow struct {
	Variation, Leg int // in Variations, in Legs
	Verdict        verdict.Code
	Reason         string          // why it doesn't work; empty if it does
	Fault          string          // the lab's own failure
	Evidence       []verdict.Event // of a leg that doesn't work, if it was asked for
}

// Total returns how many legs the sweep has when it is complete.
func (s *Sweep) Total() int { return len(s.Legs) * len(s.Variations) }

// Faults counts the legs that the lab couldn't make.
func (s *Sweep) Faults() int {
	n := 0
	for _, r := range s.Rows {
		if r.Fault != "" {
			n++
		}
	}
	return n
}

// SweepOptions are the inputs of a sweep besides its deployment.
type SweepOptions struct {
	Options
	Products []string // IDs, or "all": every product that can be a partner
	Elements []string // see PickVariations
	Keep     bool     // the evidence of legs that don't work
	Resume   *Sweep   // an earlier sweep of the same question, whose rows aren't made again; nil: none
}

// ErrOtherQuestion is returned for a Resume that is about another deployment, date, seed or policies.
var ErrOtherQuestion = errors.New("it was made of another deployment, date or seed, or with other policies")

// ErrNothingToSweep is returned when no product that was asked for can be a partner of the deployment.
var ErrNothingToSweep = errors.New("no product that was asked for speaks a protocol for which the deployment has a domain")

// MakeSweep puts products to variations of the external certificate of a deployment, over real legs. The products stand
// in for the deployment's own partners. When ctx ends, MakeSweep returns what was done until then along with ctx's error.
// Other errors: a *NameError,
// ErrNothingToSweep, ErrOtherQuestion, ErrControls, and those of the deployment.
func MakeSweep(ctx context.Context, s scenarios.Scenario, opts SweepOptions) (*Sweep, error) {
	start := verdict.NewClock()
	if opts.Policies == nil {
		var err error
		if opts.Policies, err = policy.Load(); err != nil {
			return nil, err
		}
	}
	w, err := newSweeper(s, opts)
	if err != nil {
		return nil, err
	}
	r, err := opened(ctx, opts.Options)
	if err != nil {
		return nil, err
	}
	defer r.close()
	done := w.resume(opts.Resume)
	todo := w.jobs()
	r.each(ctx, todo.jobs, r.counter(done, w.sweep.Total()), func(i int, o outcome) { w.take(ctx, todo.at[i], todo.jobs[i], o) })
	res := w.result()
	res.Duration = start()
	return res, ctx.Err()
}

// A sweeper fills a sweep from several goroutines.
type sweeper struct {
	opts     SweepOptions
	scenario scenarios.Scenario
	partners []topology.Partner
	legs     []topology.Leg
	sweep    *Sweep

	mu      sync.Mutex
	rows    []SweepRow // of each variation, one for each leg
	made    []bool
	reasons map[string]string // each text once
}

func newSweeper(s scenarios.Scenario, opts SweepOptions) (*sweeper, error) {
	products, err := sweepProducts(s.Topology, opts)
	if err != nil {
		return nil, err
	}
	all, err := Variations(s)
	if err != nil {
		return nil, err
	}
	variations, err := PickVariations(all, opts.Elements)
	if err != nil {
		return nil, err
	}
	w := &sweeper{opts: opts, reasons: map[string]string{}}
	w.scenario = s
	w.scenario.Expect, w.scenario.Differences = nil, maps.Clone(s.Differences)
	for _, p := range s.Topology.Partners {
		delete(w.scenario.Differences, p.Name)
	}
	for _, p := range products {
		stand, err := standIn(p, s.Topology.Edge, opts.Policies)
		if err != nil {
			return nil, err
		}
		w.partners = append(w.partners, stand)
	}
	w.scenario.Topology.Partners = w.partners
	w.scenario.Topology = topology.WithDefaults(w.scenario.Topology)
	w.partners = w.scenario.Topology.Partners
	w.sweep = &Sweep{
		Name: s.Name, Title: s.Title, File: s.File, At: s.At, Seed: opts.Seed, Products: products, Variations: variations,
	}
	if w.sweep.Question, err = question(s, opts); err != nil {
		return nil, err
	}
	if opts.Resume != nil && opts.Resume.Question != w.sweep.Question {
		return nil, ErrOtherQuestion
	}
	for _, l := range topology.Legs(w.scenario.Topology) {
		if l.Partner == nil || opts.Select != nil && !opts.Select(s.Name, l) {
			continue
		}
		product := slices.IndexFunc(products, func(p SweepProduct) bool { return p.ID == l.Partner.Name })
		w.legs = append(w.legs, l)
		w.sweep.Legs = append(w.sweep.Legs, SweepLeg{l.ID, product, l.Initiator == topology.ActorEdge, l.Own})
	}
	if len(w.legs) == 0 {
		return nil, ErrNothingToSweep
	}
	w.rows = make([]SweepRow, w.sweep.Total())
	w.made = make([]bool, w.sweep.Total())
	return w, nil
}

// sweepProducts returns the products that are meant, as partners that the deployment can have.
func sweepProducts(t topology.Topology, opts SweepOptions) ([]SweepProduct, error) {
	var out []SweepProduct
	own := []string{productUser, productNextHop} // a client and a pool: no partner has them at its border
	for _, p := range opts.Policies.Products() {
		named := slices.Contains(opts.Products, p.ID())
		if !named && (!slices.Contains(opts.Products, "all") || slices.Contains(own, p.ID())) {
			continue
		}
		protocol := topology.Protocol(p.Protocol())
		if protocol != topology.XMPP {
			protocol = topology.SIP // a bare TLS stack stands for a SIP server that takes its word
		}
		if protocol == topology.XMPP && len(t.XMPPDomains) == 0 || protocol == topology.SIP && len(t.SIPDomains) == 0 {
			continue
		}
		out = append(out, SweepProduct{p.ID(), protocol})
	}
	for _, name := range opts.Products {
		if _, ok := opts.Policies.Product(name); !ok && name != "all" {
			return nil, &NameError{"product", name, source.Suggest(name, opts.Policies.Names())}
		}
	}
	return out, nil
}

// standIn returns a product as a partner with which everything is agreed: who looks for a provisioned name has been given
// the Access Edge FQDN, and the Edge's entry for who has no TLS doesn't ask for it.
func standIn(p SweepProduct, e topology.Edge, policies *policy.Catalogue) (topology.Partner, error) {
	out := topology.Partner{
		Name: p.ID, Product: p.ID, Protocol: p.Protocol, Domain: strings.ReplaceAll(p.ID, ".", "-") + "." + sweepDomain,
	}
	product, _ := policies.Product(p.ID)
	for _, role := range []policy.Role{policy.Acceptor, policy.Initiator} {
		b, err := product.Behaviour(role, nil)
		if err != nil {
			return out, err
		}
		if b.Reference == policy.RefProvisioned {
			out.EdgeFQDN = e.Access
		}
		if p.Protocol == topology.XMPP && b.TLS == string(topology.NotSupported) {
			out.XMPP = topology.Allowed{TLS: topology.NotSupported, SASL: topology.NotSupported, Dialback: true, KeepAlive: true}
		}
	}
	return out, nil
}

// question is the digest of all that decides a row besides its product and its variation.
func question(s scenarios.Scenario, opts SweepOptions) (string, error) {
	t := s.Topology
	t.Partners = nil
	var orders []plan.Order
	for _, key := range []string{plan.External, plan.Internal, plan.NextHop} {
		o, err := s.Order(key)
		if err != nil {
			return "", err
		}
		orders = append(orders, o)
	}
	text, err := json.Marshal(struct {
		Version  int
		Topology topology.Topology
		Orders   []plan.Order
		At       time.Time
		Seed     uint64
		Policies string
	}{SweepVersion, t, orders, s.At, opts.Seed, opts.Policies.Digest()})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}

// resume takes over what an earlier sweep has made, and returns how much that is.
func (w *sweeper) resume(from *Sweep) int {
	if from == nil {
		return 0
	}
	variations, legs := map[string]int{}, map[string]int{}
	for i, v := range w.sweep.Variations {
		variations[v.Name] = i
	}
	for i, l := range w.sweep.Legs {
		legs[l.ID] = i
	}
	n := 0
	for _, row := range from.Rows {
		v, okV := variations[from.Variations[row.Variation].Name]
		l, okL := legs[from.Legs[row.Leg].ID]
		if !okV || !okL || row.Fault != "" {
			continue
		}
		i := v*len(w.legs) + l
		row.Variation, row.Leg, row.Reason = v, l, w.once(row.Reason)
		if !w.made[i] {
			n++
		}
		w.rows[i], w.made[i] = row, true
	}
	return n
}

// sweepJobs are jobs, and which rows their legs are.
type sweepJobs struct {
	jobs []job
	at   [][]int
}

// jobs cuts what isn't made yet into worlds.
func (w *sweeper) jobs() sweepJobs {
	var out sweepJobs
	for v, variation := range w.sweep.Variations {
		var at []int
		for l := range w.legs {
			if i := v*len(w.legs) + l; !w.made[i] {
				at = append(at, i)
			}
		}
		if len(at) == 0 {
			continue
		}
		worlds := (len(at) + legsPerWorld - 1) / legsPerWorld
		for part := range slices.Chunk(at, (len(at)+worlds-1)/worlds) {
			out.jobs, out.at = append(out.jobs, w.job(variation, part)), append(out.at, part)
		}
	}
	return out
}

// job returns the legs of some rows in a world that has only the partners that they need.
func (w *sweeper) job(v Variation, rows []int) job {
	j := job{scenario: w.scenario}
	j.scenario.Orders = maps.Clone(w.scenario.Orders)
	if j.scenario.Orders == nil {
		j.scenario.Orders = map[string]plan.Order{}
	}
	j.scenario.Orders[plan.External] = v.order
	j.scenario.Topology.Partners = nil
	for _, i := range rows {
		l := w.legs[i%len(w.legs)]
		if n := len(j.scenario.Topology.Partners); n == 0 || j.scenario.Topology.Partners[n-1].Name != l.Partner.Name {
			j.scenario.Topology.Partners = append(j.scenario.Topology.Partners, *l.Partner)
		}
		j.legs = append(j.legs, l)
	}
	return j
}

// take writes down what became of a world's legs.
func (w *sweeper) take(ctx context.Context, rows []int, j job, o outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	interrupted := ctx.Err() != nil
	for k, i := range rows {
		row := SweepRow{Variation: i / len(w.legs), Leg: i % len(w.legs)}
		switch {
		case o.Error != "":
			row.Verdict, row.Fault = verdict.Inconclusive, w.once(o.Error)
		default:
			l := o.Legs[k]
			row.Verdict, row.Fault = l.Verdict, w.once(l.Fault)
			if !Works(l.Verdict) {
				row.Reason = w.once(l.Reason)
				if w.opts.Keep {
					row.Evidence = l.Evidence
				}
			}
		}
		if interrupted && row.Fault != "" {
			continue
		}
		w.rows[i], w.made[i] = row, true
	}
}

// once returns the one copy of a text that rows share.
func (w *sweeper) once(text string) string {
	if kept, ok := w.reasons[text]; ok {
		return kept
	}
	text = strings.Clone(text)
	w.reasons[text] = text
	return text
}

func (w *sweeper) result() *Sweep {
	w.sweep.Complete = true
	for i, made := range w.made {
		if made {
			w.sweep.Rows = append(w.sweep.Rows, w.rows[i])
		} else {
			w.sweep.Complete = false
		}
	}
	return w.sweep
}
