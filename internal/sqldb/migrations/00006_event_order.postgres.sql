-- +goose Up
CREATE SEQUENCE event_seq;
ALTER TABLE event ALTER COLUMN xact SET DEFAULT (pg_current_xact_id()::text::bigint);
ALTER TABLE event ALTER COLUMN seq SET DEFAULT nextval('event_seq');
