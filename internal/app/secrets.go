package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"

	"statincidents/internal/secrets"
	"statincidents/internal/sqldb"
	"statincidents/internal/vault"
)

// KeyPath is the file that holds the key of the secrets; "" if nobody said.
func (c Config) KeyPath() string {
	if c.KeyFile == "" && c.Dir != "" {
		return filepath.Join(c.Dir, vault.FileName)
	}
	return c.KeyFile
}

// openSecrets finds the key of the secrets. The server makes it at its first
// start, and seals what is not sealed; tools use it if it is there.
func openSecrets(ctx context.Context, db *sqldb.DB, cfg Config, log *slog.Logger) error {
	path := cfg.KeyPath()
	if path == "" {
		if cfg.Exclusive {
			log.Warn("passwords and keys are kept in the database as they are: give --secret-key-file a file of its own to have them sealed")
		}
		return nil
	}
	load := vault.Load
	if cfg.Exclusive {
		load = vault.Make
	}
	v, err := load(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("key of the secrets: %w", err)
	}
	db.UseVault(v)
	if !cfg.Exclusive {
		return nil
	}
	sealed, lost, err := secrets.Seal(ctx, db, v)
	if err != nil {
		return err
	}
	if sealed > 0 {
		log.Info("secrets were sealed", "count", sealed, "key", path)
	}
	if len(lost) > 0 {
		log.Error("secrets cannot be opened: put the right secret.key back, or run « statincidents secrets forget » and type them again", "which", strings.Join(secrets.Kinds(lost), ", "), "key", path)
	}
	return nil
}
