// Package source reads what people write: a YAML text becomes a tree in which every node knows its file, line and
// column, and whatever is wrong with it becomes a problem that quotes the line and points into it.
//
// The reading is strict and never stops at the first mistake. It takes the plain part of YAML only: no anchors, no
// aliases, no tags, one document, at most MaxSize bytes. A reader (package topology, package scenarios) walks the tree
// through Problems, which notes unknown keys and wrong types on the way and proposes the nearest valid name.
package source
