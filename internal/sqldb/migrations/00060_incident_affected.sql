-- +goose Up
-- The mass incident that one is a child of, and who has it too ("person@room", in order).
ALTER TABLE incident ADD COLUMN parent_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE incident ADD COLUMN affected TEXT NOT NULL DEFAULT '';
CREATE INDEX incident_parent ON incident (tenant_id, parent_id) WHERE parent_id <> 0;
CREATE INDEX incident_declarant ON incident (tenant_id, declarant_id) WHERE declarant_id <> 0;

-- Who sees an incident for having joined it: the persons of incident.affected, to be looked up by person.
CREATE TABLE incident_follower (
    tenant_id   BIGINT NOT NULL,
    person_id   BIGINT NOT NULL,
    incident_id BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, person_id, incident_id)
) STRICT;
CREATE INDEX incident_follower_incident ON incident_follower (tenant_id, incident_id);
