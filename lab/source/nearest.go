package source

import (
	"fmt"
	"strings"
)

// Nearest returns the name that word was probably meant to be: the one at the smallest distance, counting inserted,
// dropped, changed and swapped letters, if that is at most a third of the word. Of equals the first wins.
func Nearest(word string, names []string) (string, bool) {
	a := []rune(strings.ToLower(word))
	if len(a) > 256 {
		return "", false
	}
	best, at := "", -1
	for _, name := range names {
		b := []rune(strings.ToLower(name))
		limit := max(1, max(len(a), len(b))/3)
		if d := distance(a, b); d <= limit && (at < 0 || d < at) {
			best, at = name, d
		}
	}
	return best, at >= 0
}

// Suggest returns a hint for a word that isn't one of names: the nearest, or all of them if none is near.
func Suggest(word string, names []string) string {
	if name, ok := Nearest(word, names); ok {
		return fmt.Sprintf("did you mean %q?", name)
	}
	if len(names) == 0 {
		return ""
	}
	return "valid: " + strings.Join(names, ", ")
}

// distance is the optimal string alignment distance, the restricted form of Damerau and Levenshtein's.
func distance(a, b []rune) int {
	before, last, now := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(last[j]+1, now[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}
