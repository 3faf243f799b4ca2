package demo

import (
	"context"
	"hash/fnv"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	fleet "statincidents/internal/machine"
)

// bought is the summer in which a batch of computers was delivered.
var bought = map[string]int{"HX18A": 2018, "HX19B": 2019, "HX20A": 2020, "HX21B": 2021, "HX22A": 2022, BadBatch: 2022, "HX23A": 2023, "HX24B": 2024}

// LoadMachines records the computers of a generated département with the day
// on which each was bought: the batches follow one another, a summer each.
func LoadMachines(ctx context.Context, tenant int64, s *fleet.Service, ds *Dataset) error {
	has := map[string]bool{"model": true, "school": true, "purchased": true}
	var rows []fleet.Row
	met := map[string]bool{}
	for i := range ds.Schools {
		for _, m := range ds.Schools[i].machines[aComputer] {
			if met[m.label] {
				continue
			}
			met[m.label] = true
			h := fnv.New32a()
			_, _ = h.Write([]byte(m.label))
			day := calendar.Date(bought[m.batch], time.June, 1) + calendar.Day(h.Sum32()%120)
			rows = append(rows, fleet.Row{Line: len(rows) + 1, UAI: ds.Schools[i].UAI, Has: has, Machine: fleet.Machine{Label: m.label, Model: m.batch, Purchased: day}})
		}
	}
	_, err := s.Import(ctx, auth.System(tenant), rows, true)
	return err
}
