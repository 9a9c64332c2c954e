package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
)

// Ends are the ends of the legs in the processes of a standing lab. It is safe for concurrent use.
type Ends struct {
	state  *State
	http   map[string]*http.Client // by host
	within time.Duration           // what an acceptor has to come forward with its record
	driven sync.Mutex
	taken  sync.Map // by connection's name: *verdict.Record
}

// Ends returns the lab's ends, for whoever may read the coordinator's part of the state in dir.
func (s *State) Ends(dir string) (*Ends, error) {
	sec, err := s.secretsOf(dir, Coordinator)
	if err != nil {
		return nil, err
	}
	e := &Ends{state: s, http: map[string]*http.Client{}, within: peers.DefaultTimeouts.Exchange}
	for host := range s.Control {
		cfg, err := sec.Control.config()
		if err != nil {
			return nil, err
		}
		cfg.ServerName = host
		e.http[host] = &http.Client{Transport: &http.Transport{TLSClientConfig: cfg, MaxIdleConnsPerHost: 4}}
	}
	return e, nil
}

// Close ends the connections to the hosts.
func (e *Ends) Close() {
	for _, c := range e.http {
		c.CloseIdleConnections()
	}
}

// A HostDown is a host of the lab that doesn't answer on the control channel.
type HostDown struct {
	Host string
	At   netip.AddrPort
	Err  error
}

func (e *HostDown) Error() string {
	return fmt.Sprintf("the host %s doesn't answer at %s: %v", e.Host, e.At, e.Err)
}

func (e *HostDown) Unwrap() error { return e.Err }

// Ready waits until every host answers, or ctx ends. Partners that are played by real products need not be there: those that
// don't answer are returned.
func (e *Ends) Ready(ctx context.Context) (absent []string, err error) {
	hosts := slices.Sorted(maps.Keys(e.state.Control))
	// Those that must be there first: once they are, the others have had their time.
	slices.SortStableFunc(hosts, func(a, b string) int { return e.optional(a) - e.optional(b) })
	for _, host := range hosts {
		err := e.ready(ctx, host, e.optional(host) == 0)
		switch {
		case err == nil:
		case e.optional(host) > 0 && ctx.Err() == nil:
			absent = append(absent, host)
		default:
			return absent, err
		}
	}
	return absent, nil
}

func (e *Ends) optional(host string) int {
	if _, ok := e.state.Products[host]; ok {
		return 1
	}
	return 0
}

func (e *Ends) ready(ctx context.Context, host string, wait bool) error {
	const often, patience = 100 * time.Millisecond, 2 * time.Second
	for {
		var a readyAnswer
		once, cancel := context.WithTimeout(ctx, patience)
		err := e.ask(once, host, http.MethodGet, "/ready", nil, &a)
		cancel()
		switch {
		case err == nil && a.ID == e.state.ID:
			return nil
		case err == nil:
			return &HostDown{host, e.state.Control[host], errors.New("it has the certificates of an earlier issue; start it anew")}
		case !wait:
			return &HostDown{host, e.state.Control[host], err}
		}
		select {
		case <-time.After(often):
		case <-ctx.Done():
			return &HostDown{host, e.state.Control[host], err}
		}
	}
}

// Makes reports whether a leg can be made: a leg that somebody's own server opens is theirs to open.
func (e *Ends) Makes(l topology.Leg) bool {
	_, ok := e.state.Control[l.Initiator]
	return ok
}

// lettingGo is how long a product has to close a connection when its leg is over.
const lettingGo = 3 * time.Second

// Initiate has the initiator's host make its end of the leg. Legs with a real product are made one at a time: it uses its
// connections again, and can't say which one belongs to which leg. For them the error is lab.ErrElsewhere: the evidence of the
// lab's end is all there is.
func (e *Ends) Initiate(ctx context.Context, l topology.Leg, rec *verdict.Record) error {
	_, opens := e.state.Products[l.Initiator]
	if _, accepts := e.state.Products[l.Acceptor]; opens || accepts {
		e.driven.Lock()
		defer e.driven.Unlock()
	}
	if !opens {
		return e.initiate(ctx, l, rec)
	}
	since := time.Since(e.state.Epoch)
	var env *peers.EnvError
	if err := e.initiate(ctx, l, rec); errors.As(err, &env) {
		return err
	}
	acceptor, _ := lab.HostOf(e.state.Scenario, l.Acceptor)
	var a fromAnswer
	q := fromQuestion{Addr: e.state.Elsewhere[l.Initiator].Addr(), Since: since, Wait: time.Second}
	if err := e.ask(ctx, acceptor, http.MethodPost, "/from", q, &a); err != nil {
		return &peers.EnvError{Op: "control", Host: acceptor, Addr: e.state.Control[acceptor], Err: err}
	}
	if a.Conn != "" {
		rec.SetConn(a.Conn)
		ctx, cancel := context.WithTimeout(ctx, lettingGo)
		defer cancel()
		r, err := e.take(ctx, a.Conn)
		if r == nil { // one that isn't complete yet says enough: a product keeps its connections
			return err
		}
		e.taken.Store(a.Conn, r)
	}
	return lab.ErrElsewhere
}

func (e *Ends) initiate(ctx context.Context, l topology.Leg, rec *verdict.Record) error {
	var a initiateAnswer
	if err := e.ask(ctx, l.Initiator, http.MethodPost, "/initiate", initiateQuestion{Leg: l.ID}, &a); err != nil {
		return &peers.EnvError{Op: "control", Host: l.Initiator, Addr: e.state.Control[l.Initiator], Err: err}
	}
	rec.Adopt(a.Record)
	switch {
	case a.Fault != "":
		return &peers.EnvError{Op: "play", Host: l.Initiator, Addr: e.state.Control[l.Initiator], Err: errors.New(a.Fault)}
	case a.Error != "":
		return errors.New(a.Error)
	}
	return nil
}

// Take asks the host that has the acceptor's address for its record.
func (e *Ends) Take(ctx context.Context, conn string) (*verdict.Record, error) {
	if r, ok := e.taken.LoadAndDelete(conn); ok {
		return r.(*verdict.Record), nil
	}
	return e.take(ctx, conn)
}

func (e *Ends) take(ctx context.Context, conn string) (*verdict.Record, error) {
	host, ok := e.hostAt(conn)
	if !ok {
		return nil, lab.ErrElsewhere
	}
	wait := e.within
	if by, ok := ctx.Deadline(); ok {
		wait = time.Until(by)
	}
	var a takeAnswer
	if err := e.ask(ctx, host, http.MethodPost, "/take", takeQuestion{Conn: conn, Wait: wait}, &a); err != nil {
		return nil, err
	}
	var rec *verdict.Record
	if a.Record != nil {
		rec = a.Record.Record()
	}
	if a.Error != "" {
		return rec, fmt.Errorf("%s: %s", host, a.Error)
	}
	return rec, nil
}

// hostAt returns the host that accepted a connection; false if that isn't one whose evidence there is.
func (e *Ends) hostAt(conn string) (string, bool) {
	_, acceptor := verdict.Ends(conn)
	for place, addr := range e.state.Addresses {
		if addr != acceptor.Addr() {
			continue
		}
		if _, away := e.state.Elsewhere[place]; away {
			return "", false
		}
		if host, ok := lab.HostOf(e.state.Scenario, place); ok {
			return host, true
		}
	}
	return "", false
}

// ask puts one question on the control channel.
func (e *Ends) ask(ctx context.Context, host, method, path string, question, answer any) error {
	client, ok := e.http[host]
	if !ok {
		return fmt.Errorf("no host %q is on the control channel", host)
	}
	var body io.Reader
	if question != nil {
		text, err := json.Marshal(question)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://"+e.state.Control[host].String()+path, body)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10)) // what there is of it
		return fmt.Errorf("control channel: %s: %s", res.Status, bytes.TrimSpace(why))
	}
	return json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(answer)
}
