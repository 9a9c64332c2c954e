package conformance

import (
	"context"
	_ "embed"
	"fmt"
	"net"
	"regexp"
	"strings"
)

// Stacks that have no command of their own are measured with a small program in their language. As acceptor it
// answers a line with "ok"; as initiator it reads "PORT NAME" lines, connects and says "hello". Both print "judged: "
// and the stack's reason for each connection.

//go:embed programs/Judge.java
var judgeJava []byte

//go:embed programs/judge.erl
var judgeErlang []byte

const judgePort = "4435"

var (
	judgeReady = regexp.MustCompile("(?m)^ready$")
	judgeWords = regexp.MustCompile("(?m)^judged: (.*)$")
)

func javaSetups() []setup {
	start := func(role string) func(context.Context, *bench) (session, error) {
		return startJudge(role, "/edgelab/Judge.java", judgeJava, "", "/usr/bin/java", "/edgelab/Judge.java")
	}
	return []setup{{role: Acceptor, start: start("server")}, {role: Initiator, start: start("client")}}
}

func erlangSetups() []setup {
	start := func(role, match string) func(context.Context, *bench) (session, error) {
		return startJudge(role, "/edgelab/judge.erl", judgeErlang, match, "/usr/bin/escript", "/edgelab/judge.erl")
	}
	return []setup{
		{role: Acceptor, start: start("server", "")},
		{role: Initiator, start: start("client", "default"), only: sniOf},
		{role: Initiator, settings: map[string]string{"customize_hostname_check": "https"}, start: start("client", "https"),
			only: func(v Variant) bool { return (v.Group == "name" || v.Name == "eku-both") && sniOf(v) }},
	}
}

// sniOf keeps the variants whose name can be sent as server name indication, which OTP does with whatever it looks for: an
// end that gets one with a trailing dot gives up (RFC 6066 §3).
func sniOf(v Variant) bool { return !strings.HasSuffix(v.Judged, ".") && v.Group != "crl" }

type judge struct {
	*bench
	p      *process
	server bool
}

func startJudge(role, path string, source []byte, arg string, command ...string) func(context.Context, *bench) (session, error) {
	return func(ctx context.Context, b *bench) (session, error) {
		if err := b.WriteFile(path, source, 0o644); err != nil {
			return nil, err
		}
		if role == "server" {
			arg = judgePort
		}
		argv := append(append([]string{}, command...), role, storePath, certPath, keyPath)
		if arg != "" {
			argv = append(argv, arg)
		}
		p, err := b.Start(ctx, argv...)
		if err != nil {
			return nil, err
		}
		if _, err := p.Expect(ctx, 0, judgeReady); err != nil {
			p.Stop()
			return nil, err
		}
		return &judge{bench: b, p: p, server: role == "server"}, nil
	}
}

func (j *judge) stop() { j.p.Stop() }

func (j *judge) judged(c *Credential) string {
	if j.server {
		return ""
	}
	return c.Name
}

func (j *judge) probe(ctx context.Context, c *Credential, version uint16) (Observation, error) {
	mark := j.p.Mark()
	o, err := j.exchange(ctx, c, version)
	if err != nil {
		return o, err
	}
	words, err := j.p.Expect(ctx, mark, judgeWords)
	if err != nil {
		return o, err
	}
	if o.Outcome != Trusted {
		o.Detail = timeless(words[1])
	}
	return o, nil
}

func (j *judge) exchange(ctx context.Context, c *Credential, version uint16) (Observation, error) {
	if j.server {
		return present(ctx, j.Dial, "127.0.0.1:"+judgePort, c, version, "hello\n", "ok")
	}
	l, err := j.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		return Observation{}, err
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return Observation{}, err
	}
	if err := j.p.Say(port + " " + c.Name); err != nil {
		return Observation{}, fmt.Errorf("client: %w", err)
	}
	return answer(ctx, l, c, version, "hello")
}

var (
	moment     = regexp.MustCompile(`:?\s*(current time )?\d{4}-\d\d-\d\dT\S+( is (after|before))?|:?\s*(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w{3} \d\d \S+ \w+ \d{4}`)
	otpPreface = regexp.MustCompile(`TLS (client|server): .* generated (CLIENT|SERVER) ALERT: Fatal - `)
	spaces     = regexp.MustCompile(`\s+`)
)

// timeless shortens a reason and takes moments and source lines out of it, so that two measurements of the same thing
// read the same.
func timeless(s string) string {
	s = otpPreface.ReplaceAllString(moment.ReplaceAllString(s, ""), "")
	s = strings.TrimPrefix(spaces.ReplaceAllString(s, " "), "tls: failed to verify certificate: ")
	if len(s) > 160 {
		s = strings.ToValidUTF8(s[:160], "") + "…"
	}
	return strings.TrimSpace(s)
}
