package certfile

// Bounds on ASN.1 that the libraries below don't have: how deep it is nested, and how much work a password costs.
const (
	maxNesting    = 64
	maxIterations = 10_000_000 // OpenSSL and Windows use 2,048 to 600,000
)

// bounds refuses input that is made to keep a reader busy.
func (r *reader) bounds(data []byte) error {
	b := bounder{}
	b.walk(data, 0)
	switch {
	case b.deep:
		return r.fault("", "its ASN.1 is nested deeper than %d levels; no certificate is", maxNesting)
	case b.slow:
		return r.fault("export it again", "its password is to be hashed more than %d times", maxIterations)
	}
	return nil
}

type bounder struct {
	deep, slow bool
	nodes      int
}

// maxNodes bounds the walk itself. A file of MaxSize with more is made of nothing but headers.
const maxNodes = 1 << 20

// walk goes through the values in data, and into everything that may hold values in turn. It returns how many bytes
// made sense; what doesn't is left to the libraries.
func (b *bounder) walk(data []byte, depth int) int {
	if depth > maxNesting {
		b.deep = true
		return 0
	}
	at := 0
	salted := false // the value before was an OCTET STRING: an iteration count follows a salt in all of PKCS#12
	for at+2 <= len(data) && !b.deep && b.nodes < maxNodes {
		b.nodes++
		tag, length, header := data[at], int(data[at+1]), 2
		if tag == 0 && length == 0 {
			return at + 2 // the end of an indefinite length
		}
		if tag&0x1f == 0x1f {
			return at // tags of several bytes are in none of these formats
		}
		if length == 0x80 {
			at += 2 + b.walk(data[at+2:], depth+1)
			continue
		}
		if n := length & 0x7f; length > 0x80 {
			if n > 4 || at+2+n > len(data) {
				return at
			}
			length = 0
			for _, c := range data[at+2 : at+2+n] {
				length = length<<8 | int(c)
			}
			header += n
		}
		if length > len(data)-at-header {
			return at
		}
		value := data[at+header : at+header+length]
		switch {
		case tag == 0x02 && salted:
			b.slow = b.slow || integer(value) > maxIterations
		case tag&0x20 != 0, tag == 0x04 && len(value) > 2 && value[0] == 0x30:
			b.walk(value, depth+1)
		}
		salted = tag == 0x04
		at += header + length
	}
	return at
}

// integer reads an INTEGER, as far as the bounds need it.
func integer(value []byte) int {
	n := 0
	for _, c := range value {
		if n > maxIterations {
			return n
		}
		n = n<<8 | int(c)
	}
	return n
}
