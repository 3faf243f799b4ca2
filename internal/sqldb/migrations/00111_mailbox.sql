-- +goose Up
-- How the département sends and receives its messages (package mailbox), passwords included: they are in no event.
CREATE TABLE mailbox (
    tenant_id  BIGINT NOT NULL,
    settings   TEXT   NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id)
) STRICT;

-- How each side was found at its last try.
CREATE TABLE mailbox_state (
    tenant_id  BIGINT NOT NULL,
    side       TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    well_at    BIGINT NOT NULL DEFAULT 0,
    since      BIGINT NOT NULL DEFAULT 0,
    error      TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, side)
) STRICT;
