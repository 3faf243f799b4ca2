package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the release build; a plain build says "dev".
var version = "dev"

type versionCmd struct{}

func (versionCmd) Run() error {
	fmt.Printf("statincidents %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" || s.Key == "vcs.time" {
				fmt.Printf("%s %s\n", s.Key, s.Value)
			}
		}
	}
	return nil
}
