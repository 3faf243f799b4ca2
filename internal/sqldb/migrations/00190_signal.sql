-- +goose Up
-- Signals: what the methods found out of the ordinary, one row an episode. school_id is the one school that it is about, 0 for several or all.
CREATE TABLE signal (
    tenant_id     BIGINT NOT NULL,
    signal_id     BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    method        TEXT   NOT NULL,
    series        TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    school_id     BIGINT NOT NULL DEFAULT 0,
    category_id   BIGINT NOT NULL DEFAULT 0,
    first_week    BIGINT NOT NULL,
    last_week     BIGINT NOT NULL,
    observed_week BIGINT NOT NULL,
    verdict       TEXT   NOT NULL DEFAULT '',
    judged_kind   TEXT   NOT NULL DEFAULT '',
    judged_by     BIGINT NOT NULL DEFAULT 0,
    judged_at     BIGINT NOT NULL DEFAULT 0,
    opened_at     BIGINT NOT NULL,
    closed_at     BIGINT NOT NULL DEFAULT 0,
    updated_at    BIGINT NOT NULL,
    body          TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, signal_id)
) STRICT;
CREATE INDEX signal_state ON signal (tenant_id, state, last_week);

-- What each method last looked at.
CREATE TABLE signal_watch (
    tenant_id BIGINT NOT NULL,
    method    TEXT   NOT NULL,
    seen_at   BIGINT NOT NULL,
    body      TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, method)
) STRICT;
