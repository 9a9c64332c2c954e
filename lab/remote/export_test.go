package remote

import "net/http"

// ClientAs returns a client of host's control channel that is known by another name.
func ClientAs(s *State, dir, name, host string) (*http.Client, error) {
	sec, err := s.secretsOf(dir, name)
	if err != nil {
		return nil, err
	}
	cfg, err := sec.Control.config()
	if err != nil {
		return nil, err
	}
	cfg.ServerName = host
	return &http.Client{Transport: &http.Transport{TLSClientConfig: cfg}}, nil
}
