package wire

// A clearAlert looks, in the bytes that come in, for an alert that isn't encrypted. OpenSSL's TLS 1.3 client refuses a
// server's certificate before it has switched its own records to the handshake key, so its alert is in the clear
// (measured with OpenSSL 3.0.19 under Kamailio 5.6.3). crypto/tls takes it for ciphertext and reports a bad MAC, and
// the reason would be lost.
type clearAlert struct {
	head  [recordHeader]byte
	have  int // bytes of head
	left  int // bytes that the record still lacks
	body  [2]byte
	alert uint8 // the last fatal one; 0: none
}

// see takes what was read.
func (c *clearAlert) see(b []byte) {
	for len(b) > 0 {
		if c.have < recordHeader {
			n := copy(c.head[c.have:], b)
			c.have += n
			b = b[n:]
			if c.have == recordHeader {
				c.left = int(c.head[3])<<8 | int(c.head[4])
			}
		} else {
			n := min(c.left, len(b))
			if c.mayBeAlert() {
				copy(c.body[len(c.body)-c.left:], b[:n])
			}
			c.left -= n
			b = b[n:]
		}
		if c.have == recordHeader && c.left == 0 {
			if c.mayBeAlert() && c.body[0] == alertFatal {
				c.alert = c.body[1]
			}
			c.have = 0
		}
	}
}

// mayBeAlert reports whether the record is an alert of two bytes: an encrypted one is longer (RFC 5246 §6.2.3), or
// looks like application data (RFC 8446 §5.2).
func (c *clearAlert) mayBeAlert() bool {
	return c.head[0] == recordAlert && c.head[3] == 0 && c.head[4] == byte(len(c.body))
}
