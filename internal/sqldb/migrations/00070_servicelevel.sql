-- +goose Up
-- A waiting reason that does not stop the service clocks.
ALTER TABLE code ADD COLUMN clock_runs BIGINT NOT NULL DEFAULT 0;

-- Targets by priority and category (0: any), each from a day on; minutes of open hours, 0 for no target of that clock.
CREATE TABLE service_target (
    tenant_id   BIGINT NOT NULL,
    priority    BIGINT NOT NULL,
    category_id BIGINT NOT NULL,
    from_day    BIGINT NOT NULL,
    response    BIGINT NOT NULL,
    resolution  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, priority, category_id, from_day)
) STRICT;

CREATE TABLE service_setting (
    tenant_id  BIGINT NOT NULL,
    warn_share BIGINT NOT NULL,
    PRIMARY KEY (tenant_id)
) STRICT;

-- What was told once of an incident's clocks: clock is response or resolution, what is warned or breached.
CREATE TABLE service_said (
    tenant_id   BIGINT NOT NULL,
    incident_id BIGINT NOT NULL,
    clock       TEXT   NOT NULL,
    what        TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, incident_id, clock, what)
) STRICT;

-- How the clocks of each incident stand, computed from the journal by a reader. Nothing here depends on the present instant.
-- phase: running, paused, stopped or void; spent: minutes up to since (running) or in all; instants are 0 where they are not known.
CREATE TABLE service_clock (
    tenant_id          BIGINT NOT NULL,
    incident_id        BIGINT NOT NULL,
    school_id          BIGINT NOT NULL,
    declarant_id       BIGINT NOT NULL,
    opened_at          BIGINT NOT NULL,
    clock_school_id    BIGINT NOT NULL,
    response_phase     TEXT   NOT NULL,
    response_target    BIGINT NOT NULL,
    response_spent     BIGINT NOT NULL,
    response_since     BIGINT NOT NULL,
    response_due       BIGINT NOT NULL,
    response_warn_at   BIGINT NOT NULL,
    response_late_at   BIGINT NOT NULL,
    resolution_phase   TEXT   NOT NULL,
    resolution_target  BIGINT NOT NULL,
    resolution_spent   BIGINT NOT NULL,
    resolution_since   BIGINT NOT NULL,
    resolution_due     BIGINT NOT NULL,
    resolution_warn_at BIGINT NOT NULL,
    resolution_late_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, incident_id)
) STRICT;
CREATE INDEX service_clock_response ON service_clock (tenant_id, response_warn_at) WHERE response_phase = 'running';
CREATE INDEX service_clock_resolution ON service_clock (tenant_id, resolution_warn_at) WHERE resolution_phase = 'running';
CREATE INDEX service_clock_opened ON service_clock (tenant_id, opened_at);

-- How far a recomputation asked by a change of targets or calendars has come: the last incident done.
CREATE TABLE service_recompute (
    tenant_id BIGINT NOT NULL,
    done_id   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id)
) STRICT;
