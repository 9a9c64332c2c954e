package conformance

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// sipAddr is where a SIP product listens for TLS.
const sipAddr = "127.0.0.1:5061"

// optionsRequest is a SIP OPTIONS, RFC 3261 §11, that asks target and says to be from the variant's domain.
func optionsRequest(target, transport, sentBy, from, branch string) string {
	return strings.Join([]string{
		"OPTIONS " + target + " SIP/2.0",
		"Via: SIP/2.0/" + transport + " " + sentBy + ";rport;branch=z9hG4bK" + branch,
		"Max-Forwards: 10",
		"From: <sip:probe@" + from + ">;tag=" + branch,
		"To: <" + target + ">",
		"Call-ID: " + branch + "@" + from,
		"CSeq: 1 OPTIONS",
		"Contact: <sip:probe@" + sentBy + ";transport=" + strings.ToLower(transport) + ">",
		"Content-Length: 0", "", "",
	}, "\r\n")
}

// sipAccept connects as the variant's domain and asks for an answer to OPTIONS: any status counts, for the connection
// stands, but a 4xx to 6xx is a refusal by the application, and so is a connection that is closed without an alert.
func sipAccept(ctx context.Context, dial dialFunc, addr string, c *Credential, version uint16) (Observation, error) {
	raw, err := dialRetry(ctx, dial, addr)
	if err != nil {
		return Observation{}, err
	}
	defer func() { _ = raw.Close() }()
	if err := raw.SetDeadline(time.Now().Add(patience)); err != nil {
		return Observation{}, err
	}
	tap := &alertTap{Conn: raw}
	conn := tls.Client(tap, clientConfig(c, version, "product.example"))
	if err := conn.HandshakeContext(ctx); err != nil {
		return refusedOr(err, tap)
	}
	tap.established = true
	_, _ = io.WriteString(conn, optionsRequest("sip:product.example", "TLS", raw.LocalAddr().String(), c.sipDomain(), branchOf(c, version)))
	message, err := readSIP(conn)
	if err != nil {
		return refusedStream(err, tap)
	}
	o := Observation{Outcome: Trusted, Layer: "application"}
	if status := strings.TrimPrefix(firstLine(message), "SIP/2.0 "); !strings.HasPrefix(status, "2") {
		o.Outcome, o.Detail = Rejected, status
	}
	return o, nil
}

// sipDomain is the variant's domain as it can stand in a SIP URI.
func (c *Credential) sipDomain() string {
	if asciiName(c.Name) == "" {
		return strings.ReplaceAll(c.Name, "bücher", "xn--bcher-kva")
	}
	return c.Name
}

func branchOf(c *Credential, version uint16) string {
	return strings.ReplaceAll(c.Variant.Name, "-", "") + strings.ReplaceAll(versionName(version), ".", "")
}

func firstLine(message string) string {
	line, _, _ := strings.Cut(message, "\r\n")
	return line
}

// readSIP reads up to the end of one message's headers.
func readSIP(conn net.Conn) (string, error) {
	var got []byte
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		got = append(got, buf[:n]...)
		if strings.Contains(string(got), "\r\n\r\n") {
			return string(got), nil
		}
		if err != nil {
			return "", err
		}
		if len(got) > 1<<16 {
			return "", errors.New("a SIP message without an end")
		}
	}
}

// sipAnswer accepts a connection from the product, shows c, and takes a request as proof that it is trusted.
func sipAnswer(ctx context.Context, l net.Listener, c *Credential, version uint16) (Observation, error) {
	if d, ok := l.(*net.TCPListener); ok {
		if err := d.SetDeadline(time.Now().Add(patience)); err != nil {
			return Observation{}, err
		}
	}
	raw, err := l.Accept()
	if err != nil {
		return Observation{}, fmt.Errorf("the product didn't connect: %w", err)
	}
	defer func() { _ = raw.Close() }()
	if err := raw.SetDeadline(time.Now().Add(patience)); err != nil {
		return Observation{}, err
	}
	tap := &alertTap{Conn: raw}
	conn := tls.Server(tap, serverConfig(c, version, tls.RequestClientCert))
	if err := conn.HandshakeContext(ctx); err != nil {
		return refusedOr(err, tap)
	}
	tap.established = true
	message, err := readSIP(conn)
	if err != nil {
		return refusedStream(err, tap)
	}
	_, _ = io.WriteString(conn, okResponse(message)) // for the product's own peace
	return Observation{Outcome: Trusted, Layer: "application"}, nil
}

// okResponse answers a request with 200, RFC 3261 §8.2.6.
func okResponse(request string) string {
	lines := []string{"SIP/2.0 200 OK"}
	for _, line := range strings.Split(request, "\r\n")[1:] {
		name, _, _ := strings.Cut(line, ":")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "via", "v", "from", "f", "call-id", "i", "cseq":
			lines = append(lines, line)
		case "to", "t":
			lines = append(lines, line+";tag=edgelab")
		}
	}
	return strings.Join(append(lines, "Content-Length: 0", "", ""), "\r\n")
}
