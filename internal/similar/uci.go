package similar

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/catalog"
	"statincidents/internal/incident"
)

// Targets of BenchLog.
const (
	TargetGroup   = "assignment_group"
	TargetClosing = "closed_code"
)

// uciSplit is the instant before which the log's incidents are known, as in
// the published study of it.
var uciSplit = time.Date(2016, 5, 9, 0, 0, 0, 0, time.UTC)

// BenchLog is Bench on the ServiceNow log of UCI data set 498 (gzipped CSV):
// real incidents, without texts: their structured fields are taken as words.
// The truth is the value of a target column of the incident's last row.
func BenchLog(r io.Reader, target string) (Evaluation, error) {
	unzipped, err := gzip.NewReader(r)
	if err != nil {
		return Evaluation{}, fmt.Errorf("similar: log: %w", err)
	}
	rows := csv.NewReader(unzipped)
	rows.ReuseRecord = true
	head, err := rows.Read()
	if err != nil {
		return Evaluation{}, fmt.Errorf("similar: log: %w", err)
	}
	column := map[string]int{}
	for k, name := range head {
		column[name] = k
	}
	for _, name := range []string{"number", target, "category", "subcategory", "u_symptom", "location", "cmdb_ci", "priority", "contact_type", "opened_at", "resolved_at", "closed_at", "assigned_to"} {
		if _, ok := column[name]; !ok {
			return Evaluation{}, fmt.Errorf("similar: log: no column %q", name)
		}
	}
	last := map[string]incident.Incident{}
	numbers := map[string]int64{}
	number := func(kind, value string) int64 {
		if value == "?" || value == "" {
			return 0
		}
		key := kind + "/" + value
		if numbers[key] == 0 {
			numbers[key] = int64(len(numbers) + 1)
		}
		return numbers[key]
	}
	const most = 1_000_000 // rows
	for range most {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Evaluation{}, fmt.Errorf("similar: log: %w", err)
		}
		get := func(name string) string { return row[column[name]] }
		when := func(name string) time.Time {
			t, err := time.Parse("2/1/2006 15:04", get(name))
			if err != nil {
				return time.Time{} // "?"
			}
			return t
		}
		var words []string
		for _, name := range []string{"category", "subcategory", "u_symptom", "location", "cmdb_ci", "priority", "contact_type"} {
			if v := get(name); v != "?" {
				// One word, of letters and digits only.
				words = append(words, strings.ReplaceAll(name, "_", "")+strings.Map(alphanumeric, v))
			}
		}
		i := incident.Incident{
			Title: strings.Join(words, " "), State: incident.Closed, OpenedAt: when("opened_at"), ResolvedAt: when("resolved_at"), ResolutionCode: number(target, get(target)),
			Category: number("subcategory", get("subcategory")), School: number("location", get("location")), Assignee: number("assigned_to", get("assigned_to")),
		}
		if i.ResolvedAt.IsZero() {
			i.ResolvedAt = when("closed_at")
		}
		if p, err := strconv.Atoi(get("priority")[:1]); err == nil {
			i.Priority = p
		}
		last[strings.Clone(get("number"))] = i
	}
	var all []incident.Incident
	for key, i := range last {
		i.ID, _ = strconv.ParseInt(strings.TrimPrefix(key, "INC"), 10, 64)
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b incident.Incident) int { return int(a.ID - b.ID) })
	e := evaluate(all, uciSplit, nil, &catalog.Index{}, false)
	e.Target = target
	return e, nil
}

func alphanumeric(r rune) rune {
	if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
		return r
	}
	return -1
}
