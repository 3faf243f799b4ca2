-- +goose Up
-- What people said of a solution that was proposed to them on an incident.
-- verdict: refused, applied
CREATE TABLE suggestion (
    tenant_id   BIGINT NOT NULL,
    incident_id BIGINT NOT NULL,
    code_id     BIGINT NOT NULL,
    cause_id    BIGINT NOT NULL,
    words       TEXT   NOT NULL,
    verdict     TEXT   NOT NULL,
    category_id BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, incident_id, code_id, cause_id, words)
) STRICT;
