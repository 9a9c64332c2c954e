package conformance

import (
	"net"
	"sync"
)

// An alertTap reads the TLS records that go by and keeps the first alert that is sent in the clear. OpenSSL as a TLS
// 1.3 client refuses a server's certificate with such an alert, before it has turned to its handshake keys; a peer
// that waits for an encrypted record sees nothing but a bad MAC.
type alertTap struct {
	net.Conn
	established bool // the handshake has ended well for this side; set by whoever makes it

	mu    sync.Mutex
	buf   []byte
	alert uint8
	found bool
}

const (
	recordAlert  = 21
	recordHeader = 5
	alertLength  = 2 // level, description; an encrypted alert is longer
)

func (t *alertTap) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b[:n]...)
	for len(t.buf) >= recordHeader {
		length := int(t.buf[3])<<8 | int(t.buf[4])
		if len(t.buf) < recordHeader+length {
			break
		}
		if t.buf[0] == recordAlert && length == alertLength && !t.found {
			t.alert, t.found = t.buf[recordHeader+1], true
		}
		t.buf = t.buf[recordHeader+length:]
	}
	return n, err
}

// clear returns the alert that was sent in the clear.
func (t *alertTap) clear() (uint8, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.alert, t.found
}
