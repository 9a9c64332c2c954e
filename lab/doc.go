// Package lab runs scenarios: it plans, has the certificates issued, stands up the Edge and its partners on loopback,
// makes every leg, and draws the verdicts from what both ends saw. It is the package that others import; the command
// line only parses and prints.
package lab
