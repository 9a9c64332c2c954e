package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
)

// digest names policies by the text of their files.
func digest(fsys fs.FS) (string, error) {
	sum := sha256.New()
	for _, pattern := range []string{"stacks/*.yaml", "products/*.yaml"} {
		names, err := fs.Glob(fsys, pattern)
		if err != nil {
			return "", err
		}
		for _, name := range names {
			text, err := fs.ReadFile(fsys, name)
			if err != nil {
				return "", err
			}
			sum.Write([]byte(name + "\x00"))
			sum.Write(text)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:16]), nil
}

// Digest names the policies by their content: catalogues with the same one judge alike.
func (c *Catalogue) Digest() string { return c.digest }
