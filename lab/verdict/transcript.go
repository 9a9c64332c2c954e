package verdict

// A Transcript is what a Record holds, in a form that goes from one process to another.
type Transcript struct {
	Side   Side         `json:"side"`
	Host   string       `json:"host"`
	Conn   string       `json:"conn,omitempty"`
	Events []Event      `json:"events"`
	Links  []Transcript `json:"links,omitempty"`
}

// Transcript returns what was recorded so far, linked records included.
func (r *Record) Transcript() Transcript {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := Transcript{Side: r.side, Host: r.host, Conn: r.conn, Events: append([]Event{}, r.events...)}
	for _, l := range r.links {
		t.Links = append(t.Links, l.Transcript())
	}
	return t
}

// Record returns the finished record that t was taken of.
func (t Transcript) Record() *Record {
	r := NewRecord(t.Side, t.Host, t.Conn, nil)
	r.Adopt(t)
	r.Finish()
	return r
}

// Adopt puts into an empty record what another process recorded in its place. The times are those of that process.
func (r *Record) Adopt(t Transcript) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conn, r.events = t.Conn, append(r.events, t.Events...)
	for _, l := range t.Links {
		r.links = append(r.links, l.Record())
	}
}
