package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/signal"
)

// BySignal is the address of one signal.
type BySignal struct {
	ID int64 `path:"id" doc:"The signal's number."`
}

// SignalQuery filters signals.
type SignalQuery struct {
	State    string `query:"state" enum:"open,closed" doc:"Both if absent."`
	Method   string `query:"method" enum:"warning,drift,zone,factor,repeat"`
	School   int64  `query:"school" doc:"About this school, alone or among others."`
	Category int64  `query:"category"`
	Verdict  string `query:"verdict" enum:"true,expected,false,none" doc:"none: what nobody has judged."`
	From     string `query:"from" doc:"Not calm in or after the week of this day." example:"2026-03-01"`
	To       string `query:"to" doc:"Begun before this day."`
}

func (q *SignalQuery) filter() (signal.Filter, error) {
	f := signal.Filter{State: signal.State(q.State), Method: signal.Method(q.Method), School: q.School, Category: q.Category, Verdict: q.Verdict}
	var fields fault.Fields
	for _, d := range []struct {
		name, text string
		to         *calendar.Day
	}{{"from", q.From, &f.From}, {"to", q.To, &f.To}} {
		if d.text == "" {
			continue
		}
		day, err := calendar.ParseDay(d.text)
		if err != nil {
			fields.Add(d.name, "error.field.unknown")
		}
		*d.to = day
	}
	return f, fields.Err()
}

func (a *API) registerSignals() {
	tag := []string{"signals"}
	register(a, huma.Operation{OperationID: "list-signals", Method: http.MethodGet, Path: "/signals", Tags: tag,
		Summary: "Signals: what is out of the ordinary", Description: "Those that go on first, the largest excess first; then the latest. 1,000 at most. Who sees some schools sees what is about one of them alone."},
		func(ctx context.Context, in *SignalQuery) (*output[wire.Signals], error) {
			f, err := in.filter()
			if err != nil {
				return nil, err
			}
			all, err := a.deps.Signals.List(ctx, identity(ctx), f)
			if err != nil {
				return nil, err
			}
			say, err := a.signalNames(ctx)
			if err != nil {
				return nil, err
			}
			out := wire.Signals{Items: []wire.Signal{}}
			for k := range all {
				out.Items = append(out.Items, wireSignal(say, &all[k]))
			}
			return &output[wire.Signals]{out}, nil
		})
	register(a, huma.Operation{OperationID: "get-signal", Method: http.MethodGet, Path: "/signals/{id}", Tags: tag, Summary: "One signal"},
		func(ctx context.Context, in *BySignal) (*output[wire.Signal], error) {
			one, err := a.deps.Signals.Get(ctx, identity(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			say, err := a.signalNames(ctx)
			if err != nil {
				return nil, err
			}
			return &output[wire.Signal]{wireSignal(say, &one)}, nil
		})
	register(a, huma.Operation{OperationID: "judge-signal", Method: http.MethodPut, Path: "/signals/{id}/judgement", Tags: tag,
		Summary: "Say whether a signal was true, to be expected or false", Description: "The weeks of a true one are left out of what later runs take for usual. Said twice it changes nothing."},
		func(ctx context.Context, in *struct {
			BySignal

			Body wire.SignalJudgement
		}) (*output[wire.Signal], error) {
			one, _, err := a.deps.Signals.Judge(ctx, identity(ctx), in.ID, signal.Verdict(in.Body.Verdict), in.Body.Note)
			if err != nil {
				return nil, err
			}
			say, err := a.signalNames(ctx)
			if err != nil {
				return nil, err
			}
			return &output[wire.Signal]{wireSignal(say, &one)}, nil
		})
}

func (a *API) signalNames(ctx context.Context) (*signal.Names, error) {
	tenant := identity(ctx).Tenant
	places, err := a.deps.Directory.Index(ctx, tenant)
	if err != nil {
		return nil, err
	}
	words, err := a.deps.Catalog.Index(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return &signal.Names{Printer: a.printer(ctx), Places: places, Words: words, Today: calendar.DayOf(a.deps.Clock(), places.Settings().Location())}, nil
}

func wireSignal(say *signal.Names, s *signal.Signal) wire.Signal {
	e := s.Current()
	out := wire.Signal{
		ID: s.ID, Version: s.Version, Method: string(s.Method), State: string(s.State), Title: say.Title(s), Sentence: say.Sentence(s, e),
		Schools: s.Schools, Category: s.Category, Room: s.Room, Machine: s.Machine, Label: s.Label, First: s.First().String(), Last: s.Last().String(),
		Figures: wire.SignalFigures{Week: e.Week.String(), Weeks: e.Weeks(), Observed: e.Observed, Expected: e.Expected, Excess: e.Excess(), Ratio: e.Ratio, Low: e.Low, High: e.High, P: e.P},
		Verdict: string(s.Verdict), Note: s.Note, JudgedAt: instant(s.At), OpenedAt: s.OpenedAt, ClosedAt: instant(s.ClosedAt),
	}
	if s.Since.Week != 0 {
		out.Since = s.Since.Week.String()
	}
	for _, w := range s.Words {
		out.Words = append(out.Words, w.Word)
	}
	return out
}
