package ca

import (
	"fmt"
	"slices"
	"strings"
)

// unknown says that a word is none of the known ones, and lists those with the nearest first.
func unknown(what, word string, known []string) error {
	sorted := slices.Clone(known)
	slices.SortStableFunc(sorted, func(a, b string) int { return distance(word, a) - distance(word, b) })
	return fmt.Errorf("%s %q is unknown: use %s", what, word, strings.Join(sorted, ", "))
}

// distance is the Levenshtein distance, case aside. A long word is cut: it is near to nothing anyhow, and a
// megabyte of it must not cost a second.
func distance(a, b string) int {
	const longest = 64
	a, b = strings.ToLower(a[:min(len(a), longest)]), strings.ToLower(b)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
