package edge

import (
	"encoding/xml"
	"fmt"
	"net/netip"

	upstream "github.com/emiago/sipgo/sip"
)

// mrasType is the media type of an MRAS body ([MS-AVEDGEA] §2.2.1).
const mrasType = "application/msrtc-media-relay-auth+xml"

// service is the SIP method that carries MRAS requests.
const service = upstream.RequestMethod("SERVICE")

// maxMRAS bounds an MRAS body, in bytes.
const maxMRAS = 16 << 10

// mrasRequest asks for credentials ([MS-AVEDGEA] §2.2.2).
type mrasRequest struct {
	XMLName     xml.Name             `xml:"http://schemas.microsoft.com/2006/09/sip/mrasp request"`
	ID          string               `xml:"requestID,attr"`
	From        string               `xml:"from,attr"`
	To          string               `xml:"to,attr"`
	Version     string               `xml:"version,attr"`
	Credentials []credentialsRequest `xml:"credentialsRequest"`
}

type credentialsRequest struct {
	ID       string `xml:"credentialsRequestID,attr"`
	Identity string `xml:"identity"`
	Location string `xml:"location"` // "internet" or "intranet"
	Duration int    `xml:"duration"` // minutes
}

// mrasResponse answers ([MS-AVEDGEA] §2.2.3).
type mrasResponse struct {
	XMLName     xml.Name              `xml:"http://schemas.microsoft.com/2006/09/sip/mrasp response"`
	ID          string                `xml:"requestID,attr"`
	From        string                `xml:"from,attr"`
	To          string                `xml:"to,attr"`
	Version     string                `xml:"version,attr"`
	Server      string                `xml:"serverVersion,attr"`
	Reason      string                `xml:"reasonPhrase,attr"`
	Credentials []credentialsResponse `xml:"credentialsResponse"`
}

type credentialsResponse struct {
	ID          string       `xml:"credentialsRequestID,attr"`
	Credentials credentials  `xml:"credentials"`
	Relays      []mediaRelay `xml:"mediaRelayList>mediaRelay"`
}

type credentials struct {
	Username string `xml:"username"`
	Password string `xml:"password"`
	Duration int    `xml:"duration"` // minutes
	Realm    string `xml:"realm"`
}

type mediaRelay struct {
	Location string `xml:"location"`
	Address  string `xml:"directIPAddress"`
	TCPPort  uint16 `xml:"tcpPort"`
}

// mrasVersion is the protocol version that is spoken.
const mrasVersion = "1.0"

// parseRequest reads an MRAS request. Its errors say what is wrong with it.
func parseRequest(body []byte) (mrasRequest, error) {
	var r mrasRequest
	if len(body) > maxMRAS {
		return r, fmt.Errorf("MRAS request: %d bytes, of at most %d", len(body), maxMRAS)
	}
	if err := xml.Unmarshal(body, &r); err != nil {
		return r, fmt.Errorf("MRAS request: %w", err)
	}
	if len(r.Credentials) == 0 || r.Credentials[0].Identity == "" {
		return r, fmt.Errorf("MRAS request: no credentialsRequest with an identity")
	}
	return r, nil
}

// parseResponse reads an MRAS response and returns its first token and the relays that take it, one at least.
func parseResponse(body []byte) (credentials, []netip.AddrPort, error) {
	if len(body) > maxMRAS {
		return credentials{}, nil, fmt.Errorf("MRAS response: %d bytes, of at most %d", len(body), maxMRAS)
	}
	var r mrasResponse
	if err := xml.Unmarshal(body, &r); err != nil {
		return credentials{}, nil, fmt.Errorf("MRAS response: %w", err)
	}
	if r.Reason != "OK" || len(r.Credentials) == 0 || len(r.Credentials[0].Relays) == 0 {
		return credentials{}, nil, fmt.Errorf("MRAS response: %q, and no token with a media relay", r.Reason)
	}
	var relays []netip.AddrPort
	for _, relay := range r.Credentials[0].Relays {
		addr, err := netip.ParseAddr(relay.Address)
		if err != nil {
			return credentials{}, nil, fmt.Errorf("MRAS response: address of the media relay: %w", err)
		}
		relays = append(relays, netip.AddrPortFrom(addr, relay.TCPPort))
	}
	return r.Credentials[0].Credentials, relays, nil
}

// mras answers requests for tokens ([MS-AVEDGEA] §3.1.5.1).
type mras struct {
	signer *signer
	relays []netip.AddrPort
}

func (m mras) answer(req *upstream.Request) *upstream.Response {
	if ct := req.ContentType(); ct == nil || ct.Value() != mrasType {
		res := upstream.NewResponseFromRequest(req, upstream.StatusUnsupportedMediaType, "Unsupported Media Type", nil)
		res.AppendHeader(upstream.NewHeader("Accept", mrasType))
		return res
	}
	in, err := parseRequest(req.Body())
	if err != nil {
		return upstream.NewResponseFromRequest(req, upstream.StatusBadRequest, "Request Malformed", nil)
	}
	out := mrasResponse{ID: in.ID, From: in.From, To: in.To, Version: mrasVersion, Server: "2.0", Reason: "OK"}
	for _, c := range in.Credentials {
		t := m.signer.issue(c.Identity)
		out.Credentials = append(out.Credentials, credentialsResponse{
			ID:          c.ID,
			Credentials: credentials{Username: t.Username, Password: t.Password, Duration: int(tokenLife.Minutes()), Realm: realm},
			Relays:      m.list(c.Location),
		})
	}
	body, err := xml.Marshal(out)
	if err != nil {
		return upstream.NewResponseFromRequest(req, upstream.StatusInternalServerError, "Server Internal Error", nil)
	}
	res := upstream.NewResponseFromRequest(req, upstream.StatusOK, "OK", body)
	res.AppendHeader(upstream.NewHeader("Content-Type", mrasType))
	return res
}

// list is a response's mediaRelayList.
func (m mras) list(location string) []mediaRelay {
	var all []mediaRelay
	for _, relay := range m.relays {
		all = append(all, mediaRelay{Location: location, Address: relay.Addr().String(), TCPPort: relay.Port()})
	}
	return all
}
