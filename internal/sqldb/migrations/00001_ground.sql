-- +goose Up
-- Written once for both engines: BIGINT, DOUBLE PRECISION, BYTEA and STRICT are translated for the other one by dialect.go.
-- Instants are UTC milliseconds, days are days since 1970-01-01 in the tenant's time zone, flags are 0/1.
CREATE TABLE tenant (
    tenant_id  BIGINT NOT NULL,
    name       TEXT   NOT NULL,
    settings   TEXT   NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id)
) STRICT;

CREATE TABLE counter (
    tenant_id  BIGINT NOT NULL,
    name       TEXT   NOT NULL,
    next       BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, name)
) STRICT;

-- The journal. xact is the writing transaction on PostgreSQL (0 on SQLite, where one writer makes seq the commit order).
CREATE TABLE event (
    tenant_id    BIGINT NOT NULL,
    xact         BIGINT NOT NULL DEFAULT 0,
    seq          BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    recorded_at  BIGINT NOT NULL,
    actor_kind   TEXT   NOT NULL,
    actor_id     BIGINT NOT NULL,
    subject_kind TEXT   NOT NULL,
    subject_id   BIGINT NOT NULL,
    school_id    BIGINT NOT NULL DEFAULT 0,
    kind         TEXT   NOT NULL,
    data         TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, xact, seq)
) STRICT;
CREATE INDEX event_subject ON event (tenant_id, subject_kind, subject_id, xact, seq);

-- The hash chain: each seal covers the events after the previous one. digests keeps 8 bytes of each event's own hash, to name the one that changed.
CREATE TABLE journal_seal (
    tenant_id  BIGINT NOT NULL,
    seal_id    BIGINT NOT NULL,
    to_xact    BIGINT NOT NULL,
    to_seq     BIGINT NOT NULL,
    events     BIGINT NOT NULL,
    hash       BYTEA  NOT NULL,
    digests    BYTEA  NOT NULL,
    sealed_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, seal_id)
) STRICT;

CREATE TABLE reader_cursor (
    tenant_id  BIGINT NOT NULL,
    reader     TEXT   NOT NULL,
    xact       BIGINT NOT NULL,
    seq        BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, reader)
) STRICT;
