package remote

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
)

// A Player plays hosts and answers for them: a lab.Station, or the driver of a real product.
type Player interface {
	// Record returns an empty record for the initiator's end of a leg.
	Record(leg string) *verdict.Record
	// Initiate makes the initiator's end of a leg.
	Initiate(ctx context.Context, leg string, rec *verdict.Record) error
	// Take returns the acceptor's record of a connection when it is complete.
	Take(ctx context.Context, conn string) (*verdict.Record, error)
	// From returns the name of the connection that came from an address since a time on the clock of events.
	From(ctx context.Context, addr netip.Addr, since time.Duration) (string, error)
	// Now is the time on the clock of events.
	Now() time.Duration
}

// The control channel's questions, each a POST of the one JSON object to its path, and its answer.
type (
	initiateQuestion struct {
		Leg string `json:"leg"`
	}
	initiateAnswer struct {
		Record verdict.Transcript `json:"record"`
		Error  string             `json:"error,omitempty"` // why there was no exchange
		Fault  string             `json:"fault,omitempty"` // the machine's, instead
	}
	takeQuestion struct {
		Conn string        `json:"conn"`
		Wait time.Duration `json:"wait"`
	}
	takeAnswer struct {
		Record *verdict.Transcript `json:"record,omitempty"`
		Error  string              `json:"error,omitempty"`
	}
	fromQuestion struct {
		Addr  netip.Addr    `json:"addr"`
		Since time.Duration `json:"since"`
		Wait  time.Duration `json:"wait"`
	}
	fromAnswer struct {
		Conn  string `json:"conn,omitempty"`
		Error string `json:"error,omitempty"`
	}
	readyAnswer struct {
		ID string `json:"id"` // of the state
	}
)

// Bounds of the control channel.
const (
	maxQuestion = 64 << 10
	maxAnswer   = 32 << 20
	maxWait     = time.Minute
)

// A Server answers on the control channel.
type Server struct {
	http *http.Server
	done chan struct{}
}

// Listen opens the control channel of a host at an address.
func Listen(ctx context.Context, at netip.AddrPort) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp4", at.String())
	if err != nil {
		return nil, &peers.EnvError{Op: "listen", Host: "the control channel", Addr: at, Err: err}
	}
	return ln, nil
}

// Serve answers for host on ln, which it takes over, until Close or until ctx ends.
func (s *State) Serve(ctx context.Context, dir, host string, ln net.Listener, p Player) (*Server, error) {
	sec, err := s.secretsOf(dir, host)
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	cfg, err := sec.Control.config()
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	cfg.VerifyConnection = onlyCoordinator
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) { respond(w, readyAnswer{ID: s.ID}) })
	mux.HandleFunc("POST /initiate", asked(func(ctx context.Context, q initiateQuestion) any {
		rec := p.Record(q.Leg)
		err := p.Initiate(ctx, q.Leg, rec)
		rec.Finish()
		a := initiateAnswer{Record: rec.Transcript()}
		var env *peers.EnvError
		switch {
		case errors.As(err, &env):
			a.Fault = env.Error()
		case err != nil:
			a.Error = err.Error()
		}
		return a
	}))
	mux.HandleFunc("POST /take", asked(func(ctx context.Context, q takeQuestion) any {
		ctx, cancel := context.WithTimeout(ctx, min(q.Wait, maxWait))
		defer cancel()
		var a takeAnswer
		rec, err := p.Take(ctx, q.Conn)
		if rec != nil {
			t := rec.Transcript()
			a.Record = &t
		}
		if err != nil {
			a.Error = err.Error()
		}
		return a
	}))
	mux.HandleFunc("POST /from", asked(func(ctx context.Context, q fromQuestion) any {
		ctx, cancel := context.WithTimeout(ctx, min(q.Wait, maxWait))
		defer cancel()
		conn, err := p.From(ctx, q.Addr, q.Since)
		if err != nil {
			return fromAnswer{Error: err.Error()}
		}
		return fromAnswer{Conn: conn}
	}))
	const header = 10 * time.Second
	srv := &Server{
		http: &http.Server{
			Handler: mux, ReadHeaderTimeout: header, ErrorLog: log.New(io.Discard, "", 0), // strangers are none of the lab's business
			BaseContext: func(net.Listener) context.Context { return ctx },
		},
		done: make(chan struct{}),
	}
	context.AfterFunc(ctx, func() { _ = srv.http.Close() })
	go func() {
		defer close(srv.done)
		_ = srv.http.Serve(tls.NewListener(ln, cfg)) // ends with Close
	}()
	return srv, nil
}

// Close ends the control channel and waits for it.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	return err
}

// asked makes a handler of a function from question to answer.
func asked[Q any](f func(context.Context, Q) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q Q
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxQuestion))
		d.DisallowUnknownFields()
		if err := d.Decode(&q); err != nil {
			http.Error(w, fmt.Sprintf("not a question of the control channel: %v", err), http.StatusBadRequest)
			return
		}
		respond(w, f(r.Context(), q))
	}
}

func respond(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // whoever asked has gone
}
