package web

import (
	"encoding/csv"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Every page that gives a file leaves its row among what was taken away.
func TestEveryExportIsNoted(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	client := &http.Client{Jar: w.as(t, "administrator").Jar}
	type answer struct {
		status int
		header http.Header
		body   string
	}
	ask := func(method, address string) answer {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, w.URL+address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return answer{resp.StatusCode, resp.Header, string(body)}
	}
	noted := func() (rows [][]string) {
		t.Helper()
		r := csv.NewReader(strings.NewReader(ask(http.MethodGet, exportsPath+".csv?lang=fr").body))
		r.Comma, r.FieldsPerRecord = ';', -1
		rows, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return rows[1:]
	}
	files := 0
	fill := w.fill()
	for _, step := range walks {
		method, pattern, _ := strings.Cut(step.pattern, " ")
		if method != http.MethodGet && pattern != "/account/data" || pattern == "/live" || strings.HasPrefix(pattern, exportsPath) {
			continue
		}
		resp := ask(method, fill.Replace(step.address))
		taken := resp.status == http.StatusOK && (strings.HasPrefix(resp.header.Get("Content-Disposition"), "attachment") || strings.HasPrefix(resp.header.Get("Content-Type"), "text/calendar"))
		if !taken {
			continue
		}
		files++
		path, _, _ := strings.Cut(fill.Replace(step.address), "?")
		found := false
		for _, row := range noted() {
			found = found || strings.HasPrefix(path, row[10]) && row[1] != "" && row[2] != row[10]
		}
		if !found {
			t.Errorf("%s was taken away without a trace", step.address)
		}
	}
	if files < 15 {
		t.Errorf("only %d pages gave a file", files)
	}
	rows := noted()
	for _, row := range rows {
		if row[10] == "/incidents" && (row[2] != "Incidents (csv)" && row[2] != "Incidents (xlsx)" || !strings.Contains(row[3], "depuis le début") || row[6] == "0" || !strings.HasSuffix(row[9], "/24")) {
			t.Errorf("%q", row)
		}
	}
}
