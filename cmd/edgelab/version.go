package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCmd struct{}

// Run prints the version as the Go tool stamped it.
func (versionCmd) Run(a *app) error { return a.result(version(debug.ReadBuildInfo())) }

func version(info *debug.BuildInfo, ok bool) string {
	v, revision, dirty := "unknown", "", ""
	if ok {
		v = cmp.Or(info.Main.Version, "(devel)")
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = " " + s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = " with changes"
			}
		}
	}
	return fmt.Sprintf("edgelab %s%s%s, %s %s/%s", v, revision, dirty, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
