-- +goose Up
-- How an erasure began: '' was asked for, 'departed' was begun by retention.
ALTER TABLE privacy_erasure ADD COLUMN kind TEXT NOT NULL DEFAULT '';

-- Old incidents from which identities ('people') or texts ('words') were taken out, and when. Incident 0 says when the last run came to its end.
CREATE TABLE privacy_old (
    tenant_id   BIGINT NOT NULL,
    what        TEXT   NOT NULL,
    incident_id BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, what, incident_id)
) STRICT;
