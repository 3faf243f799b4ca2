package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"statincidents/internal/analysis"
)

// replayCmd does a recorded result again.
type replayCmd struct {
	File string `arg:"" type:"existingfile" help:"What « Rejouer » of a page gave (JSON)."`
}

// Run compares and says where they differ.
func (c *replayCmd) Run(ctx context.Context) error {
	raw, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	var r analysis.Recording
	if err := json.Unmarshal(raw, &r); err != nil {
		return fmt.Errorf("%s is not a recording: %w", c.File, err)
	}
	where, err := analysis.Replay(ctx, r)
	if err != nil {
		return err
	}
	if where != "" {
		return fmt.Errorf("%s of %s, done again, differs at %s", r.Method, r.Today, where)
	}
	fmt.Printf("%s of %s, version %d: done again, the same result.\n", r.Method, r.Today, r.Version)
	return nil
}
