package peers

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/edgelab/edgelab/peers/dns"
)

// maxCRL bounds what is read of one CRL, in bytes.
const maxCRL = 1 << 20

// ErrNoCDP is why there is no CRL for a certificate that doesn't say where one is.
var ErrNoCDP = errors.New("the certificate has no CRL distribution point")

// A CRLCache fetches CRLs over HTTP from where certificates say they are (RFC 5280 §4.2.1.13), once each, through
// the lab's network and DNS. The hosts of one lab share a cache. It is safe for concurrent use.
type CRLCache struct {
	ctx    context.Context //nolint:containedctx // its life is the lab's; the judge that asks has no context
	client *http.Client

	mu   sync.Mutex
	crls map[string]*fetched
}

type fetched struct {
	once sync.Once
	list *x509.RevocationList
	err  error
}

// NewCRLCache returns an empty cache that fetches as host until ctx ends.
func NewCRLCache(ctx context.Context, n *Net, resolver *dns.Resolver, host string, timeout time.Duration) *CRLCache {
	dial := func(ctx context.Context, _, addr string) (net.Conn, error) {
		name, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		p, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return nil, err
		}
		addrs, err := resolver.Host(ctx, nil, name)
		if err != nil {
			return nil, err
		}
		return n.Dial(ctx, host, netip.AddrPortFrom(addrs[0], uint16(p)))
	}
	return &CRLCache{
		ctx:    ctx,
		client: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: timeout},
		crls:   map[string]*fetched{},
	}
}

// Get returns the CRL of cert's first distribution point. Whether it is signed by cert's issuer is for the judge to
// see. Its errors are ErrNoCDP, or say what could not be fetched and why.
func (c *CRLCache) Get(cert, _ *x509.Certificate) (*x509.RevocationList, error) {
	if len(cert.CRLDistributionPoints) == 0 {
		return nil, ErrNoCDP
	}
	url := cert.CRLDistributionPoints[0]
	c.mu.Lock()
	f, ok := c.crls[url]
	if !ok {
		f = new(fetched)
		c.crls[url] = f
	}
	c.mu.Unlock()
	f.once.Do(func() { f.list, f.err = c.fetch(url) })
	if f.err != nil {
		return nil, fmt.Errorf("CRL %s: %w", url, f.err)
	}
	return f.list, nil
}

func (c *CRLCache) fetch(url string) (*x509.RevocationList, error) {
	req, err := http.NewRequestWithContext(c.ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("HTTP %s", resp.Status)
	}
	der, err := io.ReadAll(io.LimitReader(resp.Body, maxCRL))
	if err != nil {
		return nil, err
	}
	return x509.ParseRevocationList(der)
}
