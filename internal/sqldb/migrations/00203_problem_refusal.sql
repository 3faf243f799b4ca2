-- +goose Up
-- Incidents that looked alike and that a person said have nothing to do with one another.
CREATE TABLE problem_refusal (
    tenant_id   BIGINT NOT NULL,
    refusal_id  BIGINT NOT NULL,
    incident_id BIGINT NOT NULL,
    refused_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, refusal_id, incident_id)
) STRICT;
CREATE INDEX problem_refusal_of ON problem_refusal (tenant_id, incident_id);
