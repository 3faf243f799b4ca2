-- +goose Up
-- Machines with an asset number: what they are, when they came and went. Days are days since 1970, 0 when not known.
CREATE TABLE machine (
    tenant_id    BIGINT NOT NULL,
    machine_id   BIGINT NOT NULL,
    label        TEXT   NOT NULL,
    model        TEXT   NOT NULL DEFAULT '',
    school_id    BIGINT NOT NULL DEFAULT 0,
    purchased_on BIGINT NOT NULL DEFAULT 0,
    retired_on   BIGINT NOT NULL DEFAULT 0,
    retired_why  TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, machine_id),
    UNIQUE (tenant_id, label)
) STRICT;
