package web

import (
	"archive/zip"
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"statincidents/internal/incident"
)

// Nobody meets what is beyond their scope, on any page, in any file.
func TestNothingBeyondTheScope(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	const foreign, beside = "Secret de Gien", "Bourrage papier"
	fill := w.fill()
	for login, hidden := range map[string][]string{
		"referent":  {foreign, "Salle 9", "M. Voisin"},
		"declarant": {foreign, "Salle 9", "M. Voisin", beside, "M. Collègue"},
	} {
		b := w.as(t, login)
		for _, step := range walks {
			if strings.HasPrefix(step.pattern, "POST") || step.pattern == "GET /live" {
				continue
			}
			if login == "declarant" && step.pattern == "GET /q/{token}" {
				continue // leads to the form filled with the place, which says what is open there (incident.KnownAt)
			}
			a := b.get(fill.Replace(step.address))
			text := a.body
			if a.StatusCode == http.StatusOK && strings.Contains(a.Header.Get("Content-Type"), "spreadsheet") {
				text = unzipped(t, a.body)
			}
			for _, word := range hidden {
				if strings.Contains(text, word) {
					t.Errorf("%s shows %q to the %s", step.address, word, login)
				}
			}
		}
		a := b.get("/incidents?period=all")
		if login == "declarant" {
			a.wantNumbers(w.own)
		} else {
			a.wantNumbers(w.beside, w.own)
		}
		// Filters on what one may not see give an empty list, not an error that tells.
		b.get("/incidents?period=all&school=" + id(w.b)).wantStatus(http.StatusOK).wantNumbers()
		b.get("/incidents?period=all&q=secret").wantStatus(http.StatusOK).wantNumbers()
	}
	figures := w.as(t, "referent").get("/explore?period=all&by=school").wantStatus(http.StatusOK)
	if got := figures.texts(".table tbody th"); !slices.Equal(got, []string{"Collège A"}) {
		t.Errorf("the referent's figures are of %q", got)
	}
	if got := figures.text(".table tfoot td"); got != "2" {
		t.Errorf("the referent's total is %q", got)
	}
}

func unzipped(t *testing.T, body string) string {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&all, r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return all.String()
}

// The stream tells each what they may see, and a declarant only their own.
func TestStreamKeepsTheScope(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
	defer stop()
	go func() { _ = w.hub.Run(ctx) }()
	lines := map[string]*bufio.Scanner{}
	for _, login := range []string{"technician", "referent", "declarant"} {
		b := w.as(t, login)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.URL+"/live", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Jar: b.Jar}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		lines[login] = bufio.NewScanner(resp.Body)
	}
	for w.hub.Subscribers() < len(lines) && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	foreign := w.declare(t, incident.Declaration{Title: "À Gien", School: w.b, Declarant: w.neighbour})
	beside := w.declare(t, incident.Declaration{Title: "À côté", School: w.a})
	own := w.declare(t, incident.Declaration{Title: "À moi", School: w.a, Declarant: w.teacher})
	for login, want := range map[string][]int64{"technician": {foreign, beside, own}, "referent": {beside, own}, "declarant": {own}} {
		var got []int64
		for len(got) == 0 || got[len(got)-1] != own {
			if !lines[login].Scan() {
				t.Fatalf("%s: the stream ended after %v: %v", login, got, lines[login].Err())
			}
			data, ok := strings.CutPrefix(lines[login].Text(), "data: ")
			if !ok {
				continue
			}
			var change struct{ Incident int64 }
			if json.Unmarshal([]byte(data), &change) == nil && change.Incident != 0 {
				got = append(got, change.Incident)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is told of %v, want %v", login, got, want)
		}
	}
}
