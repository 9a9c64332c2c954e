// Package scenarios holds the scenario file: its format, its loader, and the catalogue that comes with the program.
//
// A scenario is a topology, optionally what differs from its plan, and optionally the verdict expected of each leg.
// What isn't mentioned is expected to be trusted. A scenario can build on another by name or by file; then it says only
// what is different. Loading is strict: everything that is wrong is reported at once, each with its place in the text.
package scenarios
