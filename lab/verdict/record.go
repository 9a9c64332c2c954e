package verdict

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Clock returns the time since the run began. It orders events; it has nothing to do with the date at which
// certificates are judged. Every record of a run shares one clock, and it must never go back.
type Clock func() time.Duration

// NewClock returns a monotonic clock that starts now.
func NewClock() Clock {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}

// A Record collects what one side of one connection did and noticed. It is safe for use by several goroutines. A
// nil Record drops what it is given.
type Record struct {
	side  Side
	host  string
	clock Clock
	done  chan struct{}
	once  sync.Once
	after func(*Record) // told once when the record is complete; nil: nobody is

	mu     sync.Mutex
	conn   string
	events []Event
	raw    int  // bytes of messages kept
	full   bool // MaxEvents is reached
	links  []*Record
}

// Bounds of one record: whoever floods an end must not fill the lab's memory with evidence of it. A leg has some twenty
// events and a few KB of messages.
const (
	MaxEvents = 500       // the last is a KindHarness that says so: what isn't whole mustn't be concluded from
	MaxRaw    = 128 << 10 // bytes of messages; of later ones only the summary is kept
)

// usualEvents is what a good leg's record grows to, more or less.
const usualEvents = 16

// NewRecord returns an empty record of what host does on one side of conn. conn may be empty until it is known.
func NewRecord(side Side, host, conn string, clock Clock) *Record {
	return &Record{side: side, host: host, conn: conn, clock: clock, done: make(chan struct{})}
}

// Add appends e, filling in side, host, connection and time. Beyond MaxEvents nothing is kept, and the record says so.
func (r *Record) Add(e Event) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.full {
		return
	}
	if len(r.events) == MaxEvents-1 {
		r.full = true
		e = Event{Kind: KindHarness, Text: fmt.Sprintf("the evidence is cut off after %d events: the other side sends more than a leg needs", MaxEvents)}
	}
	if r.raw += len(e.Raw); r.raw > MaxRaw {
		e.Raw = ""
	}
	e.Side, e.Host, e.Conn, e.At = r.side, r.host, r.conn, r.clock()
	if r.events == nil {
		r.events = make([]Event, 0, usualEvents)
	}
	r.events = append(r.events, e)
}

// Addf appends an event of the given kind with a formatted text.
func (r *Record) Addf(kind Kind, format string, args ...any) {
	if r != nil {
		r.Add(Event{Kind: kind, Text: fmt.Sprintf(format, args...)})
	}
}

// SetConn names the connection once it is known (an initiator knows its own port only after connecting).
func (r *Record) SetConn(conn string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conn = conn
}

// Conn returns the connection's name.
func (r *Record) Conn() string {
	if r == nil {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.conn
}

// Link attaches the record of a second connection that this side opened because of this one: a dialback
// verification.
func (r *Record) Link(other *Record) {
	if r == nil || other == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.links = append(r.links, other)
}

// Links returns the attached records.
func (r *Record) Links() []*Record {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.links)
}

// Finish marks the record complete.
func (r *Record) Finish() {
	if r != nil {
		r.once.Do(func() {
			close(r.done)
			if r.after != nil {
				r.after(r)
			}
		})
	}
}

// Done is closed by Finish.
func (r *Record) Done() <-chan struct{} { return r.done }

// Events returns a copy of what was recorded so far.
func (r *Record) Events() []Event {
	return r.appendTo(nil)
}

func (r *Record) appendTo(events []Event) []Event {
	if r == nil {
		return events
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(events, r.events...)
}

// Merge puts the events of several records into the order in which they happened, numbers them from 1, and makes
// their times relative to start.
func Merge(start time.Duration, records ...*Record) []Event {
	all := make([]Event, 0, 2*usualEvents)
	for _, r := range records {
		all = r.appendTo(all)
	}
	slices.SortStableFunc(all, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	for i := range all {
		all[i].Seq = i + 1
		all[i].At -= start
	}
	return all
}

// ConnName names a connection the same way at both its ends.
func ConnName(initiator, acceptor fmt.Stringer) string {
	return initiator.String() + " > " + acceptor.String()
}

// A Journal holds the acceptors' records until the lab asks for them: an acceptor can't know which leg a
// connection belongs to, but both ends know its addresses.
type Journal struct {
	clock Clock

	mu      sync.Mutex
	records map[string]*Record
	opened  []string // keys of records in the order in which they were opened
	wait    map[string]chan struct{}
	keep    int       // how many records wait at most; 0: all
	order   []*Record // with keep: as they were opened
	watch   func(*Record)
}

// MaxUntaken is how many records that nobody has asked for a journal keeps. A stranger's connection leaves one that
// nobody will; beyond the bound the oldest that are complete are forgotten.
const MaxUntaken = 1024

// NewJournal returns an empty journal whose records use clock.
func NewJournal(clock Clock) *Journal {
	return &Journal{clock: clock, records: map[string]*Record{}, wait: map[string]chan struct{}{}}
}

// Stand readies the journal for a lab that stands for long: of the records that nobody takes it keeps the newest only, and
// watch, if it isn't nil, is told of each record when it is complete, on the goroutine of its connection. It must be called
// before the first Open.
func (j *Journal) Stand(keep int, watch func(*Record)) { j.keep, j.watch = keep, watch }

// Clock returns the clock of the journal's records.
func (j *Journal) Clock() Clock { return j.clock }

// Open starts the record of a connection that host accepted. The acceptor must call Finish on it.
func (j *Journal) Open(host, conn string) *Record {
	r := NewRecord(Acceptor, host, conn, j.clock)
	r.after = j.watch
	j.mu.Lock()
	defer j.mu.Unlock()
	j.records[conn] = r
	if j.keep > 0 {
		j.forget()
		j.order = append(j.order, r)
	} else if j.opened = append(j.opened, conn); len(j.opened) > 2*MaxUntaken {
		j.bound()
	}
	if c, ok := j.wait[conn]; ok {
		close(c)
		delete(j.wait, conn)
	}
	return r
}

// forget drops the oldest of too many records.
func (j *Journal) forget() {
	for len(j.order) >= j.keep {
		old := j.order[0]
		j.order = j.order[1:]
		if j.records[old.Conn()] == old {
			delete(j.records, old.Conn())
		}
	}
}

// Find returns the name of the oldest connection that is in the journal and that match is true of; false if there is none.
func (j *Journal) Find(match func(*Record) bool) (string, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.order {
		if j.records[r.Conn()] == r && match(r) {
			return r.Conn(), true
		}
	}
	return "", false
}

// bound drops the oldest complete records beyond MaxUntaken.
func (j *Journal) bound() {
	kept := make([]string, 0, MaxUntaken)
	for _, conn := range j.opened {
		r, ok := j.records[conn]
		if !ok {
			continue // taken
		}
		select {
		case <-r.Done():
			if len(j.records) > MaxUntaken {
				delete(j.records, conn)
				continue
			}
		default:
		}
		kept = append(kept, conn)
	}
	j.opened = kept
}

// Take waits until the acceptor's record of conn is complete and removes it from the journal. If ctx ends first it
// returns what there is, which may be nil, and the context's error.
func (j *Journal) Take(ctx context.Context, conn string) (*Record, error) {
	j.mu.Lock()
	r, ok := j.records[conn]
	if !ok {
		c, waiting := j.wait[conn]
		if !waiting {
			c = make(chan struct{})
			j.wait[conn] = c
		}
		j.mu.Unlock()
		select {
		case <-c:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		j.mu.Lock()
		r = j.records[conn]
	}
	delete(j.records, conn)
	j.mu.Unlock()
	select {
	case <-r.Done():
		return r, nil
	case <-ctx.Done():
		return r, ctx.Err()
	}
}

// Ends returns the addresses in a connection's name: the initiator's and the acceptor's. They are invalid if it is no
// connection's name.
func Ends(conn string) (initiator, acceptor netip.AddrPort) {
	from, to, ok := strings.Cut(conn, " > ")
	if !ok {
		return
	}
	initiator, _ = netip.ParseAddrPort(from)
	acceptor, _ = netip.ParseAddrPort(to)
	return initiator, acceptor
}
