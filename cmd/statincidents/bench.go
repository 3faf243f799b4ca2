package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"statincidents/internal/app"
	"statincidents/internal/similar"
)

// benchCmd measures methods, on the département's own history or on invented
// ones.
type benchCmd struct {
	Detectors benchDetectorsCmd `cmd:"" help:"Compare the detectors of early warning on invented départements: false alarms, and outbreaks found in time."`
	Suggest   benchSuggestCmd   `cmd:"" help:"Measure the suggested solutions: would the true one have been among the first?"`
	Category  benchCategoryCmd  `cmd:"" help:"Measure the category proposed from the text: how often is it right, how often does it say nothing?"`
}

// benchSuggestCmd measures the suggestions by a split in time.
type benchSuggestCmd struct {
	place
	At  string `placeholder:"YYYY-MM-DD" help:"Incidents opened before that day are known, those after it are asked about; the last fifth of the history if not said."`
	UCI string `name:"uci" type:"path" placeholder:"FILE" help:"Measure on the ServiceNow log of UCI data set 498 (incident_event_log.csv.gz) instead: group and closing code."`
}

// Validate refuses a command line that names no place and no file.
func (c benchSuggestCmd) Validate() error {
	if c.UCI != "" {
		return nil
	}
	return c.place.Validate()
}

func (c benchSuggestCmd) Run(ctx context.Context) error {
	if c.UCI != "" {
		for _, target := range []string{similar.TargetGroup, similar.TargetClosing} {
			if err := c.log(target); err != nil {
				return err
			}
		}
		return nil
	}
	var at time.Time
	if c.At != "" {
		var err error
		if at, err = time.Parse(time.DateOnly, c.At); err != nil {
			return fmt.Errorf("--at %s: a day is written YYYY-MM-DD", c.At)
		}
	}
	return c.with(ctx, func(a *app.App) error {
		e, err := a.Similar.Bench(ctx, app.Tenant, at)
		if err != nil {
			return err
		}
		return printEvaluation(&e)
	})
}

func (c benchSuggestCmd) log(target string) (err error) {
	f, err := os.Open(c.UCI)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	e, err := similar.BenchLog(f, target)
	if err != nil {
		return err
	}
	return printEvaluation(&e)
}

// printEvaluation writes a bench as a table, with 95 % limits.
func printEvaluation(e *similar.Evaluation) error {
	if len(e.Rankings) == 0 || e.Rankings[0].Tests == 0 {
		return errors.New("there is nothing to measure: no incident was resolved after that day")
	}
	fmt.Printf("%s: known before %s: %d resolved incidents; asked about %d after it", e.Target, e.At.Format(time.DateOnly), e.Known, e.Rankings[0].Tests)
	if e.Copies > 0 {
		fmt.Printf(" (%d more left out: their very text was already known)", e.Copies)
	}
	fmt.Printf("; %d different answers\n%-28s", e.Answers, "")
	for _, d := range similar.Depths {
		fmt.Printf("  %-20s", fmt.Sprintf("hit@%d", d))
	}
	fmt.Println("  MRR")
	for k := range e.Rankings {
		r := &e.Rankings[k]
		fmt.Printf("%-28s", r.Name)
		for d := range similar.Depths {
			share, low, high := r.Share(d)
			fmt.Printf("  %-20s", fmt.Sprintf("%.3f (%.3f-%.3f)", share, low, high))
		}
		fmt.Printf("  %.3f ± %.3f\n", r.MRR, 1.96*r.Error)
	}
	return nil
}
