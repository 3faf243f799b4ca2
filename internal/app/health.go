package app

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"statincidents/internal/sqldb"
)

// healthz says that the process answers; a supervisor restarts it otherwise.
func (a *App) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "ok")
}

// readyz says that the process can serve: the database answers and the
// statistics are loaded. A balancer sends people elsewhere otherwise.
func (a *App) readyz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	err := a.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var one int
		return tx.QueryRow(ctx, "SELECT 1").Scan(&one)
	})
	switch {
	case err != nil:
		a.Log.Error("readyz: database", "error", err)
		http.Error(w, "database: not answering", http.StatusServiceUnavailable)
	case a.memory != nil && !a.memory.Ready():
		http.Error(w, "statistics: loading", http.StatusServiceUnavailable)
	default:
		fmt.Fprintln(w, "ok")
	}
}
