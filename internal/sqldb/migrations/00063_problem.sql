-- +goose Up
-- Problems: the cause behind several incidents.
CREATE TABLE problem (
    tenant_id   BIGINT NOT NULL,
    problem_id  BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    state       TEXT   NOT NULL,
    title       TEXT   NOT NULL,
    description TEXT   NOT NULL DEFAULT '',
    cause       TEXT   NOT NULL DEFAULT '',
    workaround  TEXT   NOT NULL DEFAULT '',
    public      BIGINT NOT NULL DEFAULT 0,
    category_id BIGINT NOT NULL DEFAULT 0,
    owner_id    BIGINT NOT NULL DEFAULT 0,
    incidents   BIGINT NOT NULL DEFAULT 0,
    opened_at   BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL DEFAULT 0,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, problem_id)
) STRICT;

CREATE TABLE problem_incident (
    tenant_id   BIGINT NOT NULL,
    problem_id  BIGINT NOT NULL,
    incident_id BIGINT NOT NULL,
    linked_at   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, problem_id, incident_id)
) STRICT;
CREATE INDEX problem_incident_of ON problem_incident (tenant_id, incident_id);
