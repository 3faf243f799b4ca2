-- +goose Up
-- What was imported, and what could not be. beat_at is the last sign of life of a run in hand: a run that stays "running" without one was interrupted.
CREATE TABLE import_run (
    tenant_id  BIGINT NOT NULL,
    run_id     BIGINT NOT NULL,
    status     TEXT   NOT NULL,
    file_name  TEXT   NOT NULL,
    file_size  BIGINT NOT NULL DEFAULT 0,
    sha256     TEXT   NOT NULL DEFAULT '',
    profile    TEXT   NOT NULL,
    header     TEXT   NOT NULL DEFAULT '[]',
    report     TEXT   NOT NULL DEFAULT '{}',
    account_id BIGINT NOT NULL,
    parent_id  BIGINT NOT NULL DEFAULT 0,
    started_at BIGINT NOT NULL,
    beat_at    BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, run_id)
) STRICT;

-- A row that was rejected, as in the file (fields, a JSON list). mended_by is the run that brought it in after all.
CREATE TABLE import_reject (
    tenant_id   BIGINT NOT NULL,
    run_id      BIGINT NOT NULL,
    reject_id   BIGINT NOT NULL,
    line        BIGINT NOT NULL,
    last_line   BIGINT NOT NULL,
    column_name TEXT   NOT NULL DEFAULT '',
    reason      TEXT   NOT NULL,
    args        TEXT   NOT NULL DEFAULT '[]',
    fields      TEXT   NOT NULL,
    mended_by   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, run_id, reject_id)
) STRICT;

-- Profiles that a département made or corrected, in TOML.
CREATE TABLE import_profile (
    tenant_id  BIGINT NOT NULL,
    name       TEXT   NOT NULL,
    toml       TEXT   NOT NULL,
    updated_at BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, name)
) STRICT;
