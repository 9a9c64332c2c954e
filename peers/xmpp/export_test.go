package xmpp

import "time"

// Hurry lets the time of one phase run out almost at once, and leaves the others theirs.
func (c *Config) Hurry(phase string) {
	c.limit = func(p string, d time.Duration) time.Duration {
		if p == phase {
			return 20 * time.Millisecond
		}
		return d
	}
}
