package scenarios

import _ "embed"

//go:embed init.yaml
var initial []byte

// Init returns a scenario to start from: the source deployment with every key explained. It loads as it is.
func Init() []byte { return append([]byte(nil), initial...) }
