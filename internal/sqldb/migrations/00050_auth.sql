-- +goose Up
-- An account may belong to nobody of the directory: it then shows its own name.
ALTER TABLE account ADD COLUMN name TEXT NOT NULL DEFAULT '';
-- Raised when all sessions of the account end; a session of a former epoch is dead.
ALTER TABLE account ADD COLUMN session_epoch BIGINT NOT NULL DEFAULT 0;
-- Whose session it is (to end them all at once) and when it was last seen (idle limit).
ALTER TABLE session ADD COLUMN account_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX session_account ON session (tenant_id, account_id);
CREATE INDEX api_token_account ON api_token (tenant_id, account_id);
