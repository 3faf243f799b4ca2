-- +goose Up
-- Random values that a département keeps for itself, by name, base64. They are in the backup like the rest; the journal never holds one.
CREATE TABLE secret (
    tenant_id  BIGINT NOT NULL,
    name       TEXT   NOT NULL,
    value      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, name)
) STRICT;
