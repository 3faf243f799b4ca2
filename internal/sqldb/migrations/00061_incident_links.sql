-- +goose Up
-- Incidents that have to do with each other ("12 47", in order, the same on both sides), and the declarant's answer after closing.
ALTER TABLE incident ADD COLUMN related TEXT NOT NULL DEFAULT '';
ALTER TABLE incident ADD COLUMN rating TEXT NOT NULL DEFAULT '';
ALTER TABLE incident ADD COLUMN rated_at BIGINT NOT NULL DEFAULT 0;

-- Whom comments call by name; version is that of the incident after the event.
CREATE TABLE incident_mention (
    tenant_id   BIGINT NOT NULL,
    person_id   BIGINT NOT NULL,
    incident_id BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, person_id, incident_id, version)
) STRICT;
CREATE INDEX incident_mention_latest ON incident_mention (tenant_id, person_id, at);
