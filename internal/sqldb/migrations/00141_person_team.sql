-- +goose Up
-- The team that somebody of the unit works in; 0 if none.
ALTER TABLE person ADD COLUMN team_id BIGINT NOT NULL DEFAULT 0;
