-- +goose Up
-- Messages about a visit: event_seq is then an event of that visit, and incident_id the incident of the visit that concerns the person (0 for none).
ALTER TABLE notify_message ADD COLUMN visit_id BIGINT NOT NULL DEFAULT 0;
CREATE INDEX notify_message_visit ON notify_message (tenant_id, visit_id, person_id) WHERE visit_id <> 0;
