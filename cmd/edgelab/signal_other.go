//go:build !unix

package main

// ignoreLimits does nothing: there are no such limits here.
func ignoreLimits() {}
