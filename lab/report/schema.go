package report

import _ "embed"

//go:embed schema.json
var schema string

// Schema returns the JSON Schema (draft 2020-12) of what JSON writes. It allows keys that it doesn't name, as a reader
// must. It ends in a line break.
func Schema() string { return schema }
