// Package analysis asks the statistical methods (package stats) of the
// département's own incidents: it gathers what each needs (World), judges what
// comes out (thresholds, verdicts, refusals), and keeps the night's results so
// that pages answer at once.
//
// One file a method. A Method has two halves: Gather takes what it needs from
// the World, Run is a pure function of that and of a seed. Input and output of
// the last night are kept as JSON: anybody can do it again (Replay).
//
// A result is the département's, whatever its reader may see: what a reader is
// shown comes out of a function of the method's file that takes an
// auth.Identity or auth.Scope.
package analysis

import (
	"context"
	"log/slog"
	"time"

	"statincidents/internal/catalog"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/jobs"
	"statincidents/internal/machine"
	"statincidents/internal/servicelevel"
	"statincidents/internal/sqldb"
)

// Parts are what the room stands on.
type Parts struct {
	DB        *sqldb.DB
	Jobs      *jobs.Service
	Cube      cube.Executor
	Places    *directory.Service
	Words     *catalog.Service
	Incidents *incident.Service
	Clocks    *servicelevel.Service
	Machines  *machine.Service
}

// Config says whose incidents they are.
type Config struct {
	Tenant   int64
	Location *time.Location
	Log      *slog.Logger
	Now      func() time.Time // sqldb.Now if nil
}

// Service asks the methods and keeps what they answered.
type Service struct {
	Parts

	cfg     Config
	methods []nightly
	after   []func(context.Context, *World) error
	learned func(context.Context) ([]Outbreak, error)
	cache   cache
	breach  breachModel
}

// methods are asked each night, in this order, one a line so that two can be
// added at once.
var methods = []nightly{
	LateEntry,
	WhatComesBack,
	EarlyWarning,
	Breach,
	Zones,
	DetectorBench,
	ComingWeeks,
}

const jobNight = "analysis.night"

// New makes the service and registers its work with the jobs.
func New(p Parts, cfg Config) *Service {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	if cfg.Now == nil {
		cfg.Now = sqldb.Now
	}
	s := &Service{Parts: p, cfg: cfg, methods: methods}
	jobs.Handle(p.Jobs, jobNight, jobs.Options{Timeout: time.Hour, Concurrency: 1}, s.night)
	p.Jobs.Every(jobNight, "40 2 * * *", jobNight, struct{}{})
	return s
}

// After calls fn at the end of each night, when every result is kept: for the
// rooms that make something of them. fn must bear being called twice for one
// night. To be called before Run.
func (s *Service) After(fn func(ctx context.Context, w *World) error) { s.after = append(s.after, fn) }
