-- +goose Up
-- Work that is done after the command that asked for it, once and in spite of crashes (package jobs, which says what the states are).
-- beat_at is the last sign of life of the process that runs it; worker names that process.
CREATE TABLE job (
    tenant_id    BIGINT NOT NULL,
    job_id       BIGINT NOT NULL,
    kind         TEXT   NOT NULL,
    args         TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    priority     BIGINT NOT NULL,
    attempt      BIGINT NOT NULL DEFAULT 0,
    max_attempts BIGINT NOT NULL,
    unique_key   TEXT   NOT NULL DEFAULT '',
    scheduled_at BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    attempted_at BIGINT NOT NULL DEFAULT 0,
    beat_at      BIGINT NOT NULL DEFAULT 0,
    finished_at  BIGINT NOT NULL DEFAULT 0,
    worker       TEXT   NOT NULL DEFAULT '',
    error        TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, job_id)
) STRICT;
CREATE INDEX job_due ON job (tenant_id, priority, scheduled_at, job_id) WHERE state IN ('available', 'retryable');
CREATE INDEX job_running ON job (tenant_id, beat_at) WHERE state = 'running';
CREATE INDEX job_finished ON job (tenant_id, finished_at) WHERE state IN ('completed', 'discarded', 'cancelled');
CREATE UNIQUE INDEX job_unique ON job (tenant_id, kind, unique_key) WHERE unique_key <> '' AND state IN ('available', 'running', 'retryable');

-- When each periodic job is due next.
CREATE TABLE job_schedule (
    tenant_id BIGINT NOT NULL,
    name      TEXT   NOT NULL,
    spec      TEXT   NOT NULL,
    next_at   BIGINT NOT NULL,
    last_at   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, name)
) STRICT;

-- Which process looks after schedules, lost jobs and old ones, and until when unless it says so again.
CREATE TABLE job_leader (
    tenant_id  BIGINT NOT NULL,
    worker     TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id)
) STRICT;
