package xmpp

import (
	"mellium.im/xmpp/stream"
)

// Limits on what an end reads before it knows whom it deals with (RFC 6120 §13.12).
const (
	maxPiece  = 64 << 10 // bytes of a stream header or a first-level element
	maxDepth  = 32       // elements within each other
	maxPieces = 10_000   // of one connection: nobody has a server to itself for ever
)

// A piece is one of the three things that an XMPP stream consists of at its first level.
type piece int

const (
	pieceNone    piece = iota // not complete yet
	pieceHeader               // the opening tag of the stream, with the XML declaration if there is one
	pieceElement              // a first-level element: features, a stanza, an error
	pieceClosing              // the closing tag of the stream
)

type scanState int

const (
	inText scanState = iota
	afterLT
	inTag
	inQuote
	inEndTag
	inDeclaration
	inBang
	inCDATA
)

// A scanner finds the ends of the pieces of a stream without a look at what they mean, so that each can be recorded,
// bounded and handed on whole. That bytes which somebody slipped in behind a piece are never read with it is what
// makes STARTTLS safe. Well-formedness in full is left to encoding/xml, which sees each piece afterwards; here it is
// only refused what XMPP restricts (RFC 6120 §11.1) and what would let the two disagree about where a piece ends.
type scanner struct {
	state    scanState
	opened   bool // the stream header is complete
	declared bool // an XML declaration was seen
	depth    int
	size     int
	quote    byte
	slash    bool // the last byte of the tag so far is a slash
	matched  int  // bytes of cdataStart, cdataEnd or "?>" seen
}

const cdataStart, cdataEnd = "[CDATA[", "]]>"

// between reports whether the scanner stands between two pieces, where white space keeps a connection alive and means
// nothing else (RFC 6120 §4.6.1).
func (s *scanner) between() bool { return s.state == inText && s.depth == 0 && !s.declared }

// scan consumes bytes up to the end of the current piece or of b. Its errors are of type stream.Error.
func (s *scanner) scan(b []byte) (n int, p piece, err error) {
	for i, c := range b {
		if s.size++; s.size > maxPiece {
			return i, pieceNone, streamError(stream.PolicyViolation, "a piece of more than 64 KiB")
		}
		p, err := s.step(c)
		if err != nil {
			return i, pieceNone, err
		}
		if p != pieceNone {
			s.size, s.declared = 0, false
			return i + 1, p, nil
		}
	}
	return len(b), pieceNone, nil
}

func (s *scanner) step(c byte) (piece, error) {
	switch s.state {
	case inText:
		if c == '<' {
			s.state = afterLT
		} else if s.depth == 0 && !space(c) {
			return pieceNone, streamError(stream.BadFormat, "text outside of any element")
		}
	case afterLT:
		return pieceNone, s.markup(c)
	case inTag:
		return s.tag(c)
	case inQuote:
		if c == '<' {
			return pieceNone, streamError(stream.NotWellFormed, "'<' in an attribute")
		}
		if c == s.quote {
			s.state = inTag
		}
	case inEndTag:
		return s.endTag(c)
	case inDeclaration:
		if s.match("?>", c) {
			s.state = inText
		}
	case inBang:
		if cdataStart[s.matched] != c {
			return pieceNone, streamError(stream.RestrictedXML, "a comment or a document type")
		}
		if s.matched++; s.matched == len(cdataStart) {
			s.state, s.matched = inCDATA, 0
		}
	case inCDATA:
		if s.match(cdataEnd, c) {
			s.state = inText
		}
	}
	return pieceNone, nil
}

// markup tells by the byte after '<' what begins.
func (s *scanner) markup(c byte) error {
	switch {
	case c == '?':
		if s.opened || s.declared {
			return streamError(stream.RestrictedXML, "a processing instruction")
		}
		s.state, s.matched, s.declared = inDeclaration, 0, true
	case c == '!':
		if s.depth == 0 {
			return streamError(stream.RestrictedXML, "a comment or a document type")
		}
		s.state, s.matched = inBang, 0
	case c == '/':
		if !s.opened {
			return streamError(stream.NotWellFormed, "an end tag before the stream header")
		}
		s.state = inEndTag
	case space(c) || c == '<' || c == '>' || c == '=' || c == '"' || c == '\'':
		return streamError(stream.NotWellFormed, "'<' that begins no tag")
	default:
		s.state, s.slash = inTag, false
	}
	return nil
}

func (s *scanner) tag(c byte) (piece, error) {
	switch c {
	case '"', '\'':
		s.state, s.quote, s.slash = inQuote, c, false
	case '<':
		return pieceNone, streamError(stream.NotWellFormed, "'<' in a tag")
	case '/':
		s.slash = true
	case '>':
		s.state = inText
		switch {
		case !s.opened && s.slash:
			return pieceNone, streamError(stream.NotWellFormed, "a stream that ends in its header")
		case !s.opened:
			s.opened = true
			return pieceHeader, nil
		case s.slash && s.depth == 0:
			return pieceElement, nil
		case s.slash:
		default:
			if s.depth++; s.depth > maxDepth {
				return pieceNone, streamError(stream.PolicyViolation, "more than 32 elements within each other")
			}
		}
	default:
		s.slash = false
	}
	return pieceNone, nil
}

func (s *scanner) endTag(c byte) (piece, error) {
	switch c {
	case '<', '"', '\'', '/':
		return pieceNone, streamError(stream.NotWellFormed, "an end tag with more than a name")
	case '>':
		s.state = inText
		if s.depth == 0 {
			return pieceClosing, nil
		}
		if s.depth--; s.depth == 0 {
			return pieceElement, nil
		}
	}
	return pieceNone, nil
}

// match reports whether c completes end. Both ends that it is asked for begin with a byte which, doubled, still
// leaves a beginning of them: "??>" and "]]]>".
func (s *scanner) match(end string, c byte) bool {
	switch {
	case c == end[s.matched]:
		s.matched++
	case s.matched > 0 && c == end[0]: // "]]]": two of them still count
	default:
		s.matched = 0
	}
	if s.matched == len(end) {
		s.matched = 0
		return true
	}
	return false
}

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// streamError returns a stream error with a text for people.
func streamError(e stream.Error, text string) stream.Error {
	e.Text = append(e.Text, struct{ Lang, Value string }{"en", text})
	return e
}
