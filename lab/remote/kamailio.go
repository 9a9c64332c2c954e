package remote

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/edgelab/edgelab/lab/verdict"
)

// A kamailio is driven by what a user of its own domain would send it over UDP.
type kamailio struct{ domain string }

func (k kamailio) ready(ctx context.Context) error {
	const patience = 300 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := dial(ctx, "udp4", sipPort)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = k.ask(c, "OPTIONS", "ready@"+k.domain)
	return err
}

func (k kamailio) reach(ctx context.Context, domain string, rec *verdict.Record) error {
	for _, method := range []string{"OPTIONS", "MESSAGE"} {
		c, err := dial(ctx, "udp4", sipPort)
		if err != nil {
			rec.Addf(verdict.KindHarness, "Kamailio: %v", err)
			return err
		}
		rec.Addf(verdict.KindNote, "Kamailio is given %s for %s", method, domain)
		status, err := k.ask(c, method, "edgelab@"+domain)
		_ = c.Close()
		switch {
		case err != nil:
			rec.Addf(verdict.KindTimeout, "Kamailio doesn't answer %s: %v", method, err)
			return err
		case !strings.HasPrefix(status, "200 "):
			code, _, _ := strings.Cut(status, " ")
			number, _ := strconv.Atoi(code)
			rec.Add(verdict.Event{Kind: verdict.KindRefused, Status: number, Text: "Kamailio answers " + method + " with " + status})
			return fmt.Errorf("%s: %s", method, status)
		}
	}
	rec.Addf(verdict.KindExchanged, "Kamailio had OPTIONS and MESSAGE answered by the Edge for %s", domain)
	return nil
}

// ask sends one request and returns the status line of its final response.
func (k kamailio) ask(c net.Conn, method, to string) (string, error) {
	id := rand.Text()
	_, err := fmt.Fprintf(c, "%[1]s sip:%[2]s SIP/2.0\r\nVia: SIP/2.0/UDP %[3]s;branch=z9hG4bK%[4]s\r\nFrom: <sip:edgelab@%[5]s>;tag=%[4]s\r\n"+
		"To: <sip:%[2]s>\r\nCall-ID: %[4]s\r\nCSeq: 1 %[1]s\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", method, to, c.LocalAddr(), id, k.domain)
	if err != nil {
		return "", err
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return "", err
		}
		line, _, _ := strings.Cut(string(buf[:n]), "\r\n")
		status, ok := strings.CutPrefix(line, "SIP/2.0 ")
		if ok && !strings.HasPrefix(status, "1") {
			return status, nil
		}
	}
}
