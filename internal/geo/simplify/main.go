// Command simplify makes an outline file of a GeoJSON file: see go:generate in
// package geo.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"statincidents/internal/geo"
)

func main() {
	points := flag.Int("points", 300, "most points kept")
	code := flag.String("code", "", "code of the territory, if not in the file")
	name := flag.String("name", "", "its name, if not in the file")
	source := flag.String("source", "", "who made the map, under which licence")
	out := flag.String("o", "", "file written")
	flag.Parse()
	if err := run(flag.Arg(0), *out, *points, *code, *name, *source); err != nil {
		fmt.Fprintln(os.Stderr, "simplify:", err)
		os.Exit(1)
	}
}

func run(in, out string, points int, code, name, source string) error {
	f, err := os.Open(in)
	if err != nil {
		return err
	}
	defer f.Close()
	s, err := geo.ParseGeoJSON(f, points)
	if err != nil {
		return err
	}
	if code != "" {
		s.Code = code
	}
	if name != "" {
		s.Name = name
	}
	s.Source = source
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	// A line for each point would be long, a single line unreadable in a diff.
	b = bytes.ReplaceAll(b, []byte(`,"rings":`), []byte(",\n\"rings\":"))
	b = bytes.ReplaceAll(b, []byte("]],[["), []byte("]],\n[["))
	return os.WriteFile(out, append(b, '\n'), 0o644)
}
