-- +goose Up
-- Which signals a person wants to be told of; how soon is in notify_preference.
CREATE TABLE signal_wish (
    tenant_id BIGINT NOT NULL,
    person_id BIGINT NOT NULL,
    body      TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, person_id)
) STRICT;
-- Messages about a signal: event_seq is then an event of that signal, and there is no incident.
ALTER TABLE notify_message ADD COLUMN signal_id BIGINT NOT NULL DEFAULT 0;
