package xmpp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"strings"

	"mellium.im/xmpp/stream"
)

// DialbackKey returns the key by which originating vouches for a stream that it opened to receiving and that
// receiving named id (XEP-0185 §3). It is good for that stream and those two domains alone.
func DialbackKey(secret, receiving, originating, id string) string {
	hashed := sha256.Sum256([]byte(secret))
	mac := hmac.New(sha256.New, []byte(hex.EncodeToString(hashed[:])))
	mac.Write([]byte(receiving + " " + originating + " " + id))
	return hex.EncodeToString(mac.Sum(nil))
}

// genuine reports whether key is ours for that stream, in time that doesn't tell how much of it is right.
func genuine(key, secret, receiving, originating, id string) bool {
	return hmac.Equal([]byte(key), []byte(DialbackKey(secret, receiving, originating, id)))
}

// A dialback is <db:result/> or <db:verify/>, as question (no type) or answer.
type dialback struct {
	From string `xml:"from,attr"`
	To   string `xml:"to,attr"`
	ID   string `xml:"id,attr"`   // verify: the stream that the key is for
	Type string `xml:"type,attr"` // "valid", "invalid", "error"
	Key  string `xml:",chardata"`
	// Error is the stanza error of type "error" (XEP-0220 §2.5).
	Error *struct {
		Conditions []struct{ XMLName xml.Name } `xml:",any"`
	} `xml:"error"`
}

// Answers of XEP-0220.
const (
	dialbackValid   = "valid"
	dialbackInvalid = "invalid"
	dialbackError   = "error"
)

// readDialback decodes and checks one of the two elements: both ends of the pair must be domains, since the key is
// bound to them.
func readDialback(e element) (dialback, error) {
	var d dialback
	if err := e.decode(&d); err != nil {
		return dialback{}, err
	}
	d.Key = strings.TrimSpace(d.Key)
	from, err := domainOf(d.From)
	if err != nil {
		return dialback{}, streamError(stream.ImproperAddressing, "dialback without a usable from")
	}
	to, err := domainOf(d.To)
	if err != nil {
		return dialback{}, streamError(stream.ImproperAddressing, "dialback without a usable to")
	}
	d.From, d.To = from.String(), to.String()
	return d, nil
}

// outcome says in words what an answer says.
func (d dialback) outcome() string {
	if d.Type == dialbackError && d.Error != nil && len(d.Error.Conditions) > 0 {
		return "error " + d.Error.Conditions[0].XMLName.Local
	}
	return d.Type
}

// ask writes an element that asks: a result for our own stream, or the verification of somebody else's.
func (c *conn) ask(local string, d dialback) error {
	id := ""
	if d.ID != "" {
		id = fmt.Sprintf(" id='%s'", escape(d.ID))
	}
	return c.send("<db:%s xmlns:db='%s' from='%s' to='%s'%s>%s</db:%s>", local, nsDialback, escape(d.From), escape(d.To), id, escape(d.Key), local)
}

// answer writes the answer to d: from and to change places.
func (c *conn) answer(local string, d dialback, typ, condition string) error {
	id, inner := "", ""
	if d.ID != "" {
		id = fmt.Sprintf(" id='%s'", escape(d.ID))
	}
	if typ == dialbackError {
		inner = fmt.Sprintf("<error type='cancel'><%s xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>", condition)
	}
	return c.send("<db:%s xmlns:db='%s' from='%s' to='%s'%s type='%s'>%s</db:%s>", local, nsDialback, escape(d.To), escape(d.From), id, typ, inner, local)
}
