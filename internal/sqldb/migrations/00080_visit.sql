-- +goose Up
-- Planned work at a school. incidents is the JSON list of those it handles, in order; visit_incident is the same, to be searched.
CREATE TABLE visit (
    tenant_id     BIGINT NOT NULL,
    visit_id      BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    sequence      BIGINT NOT NULL,
    state         TEXT   NOT NULL,
    kind          TEXT   NOT NULL,
    school_id     BIGINT NOT NULL,
    technician_id BIGINT NOT NULL,
    start_at      BIGINT NOT NULL,
    end_at        BIGINT NOT NULL,
    purpose       TEXT   NOT NULL DEFAULT '',
    note          TEXT   NOT NULL DEFAULT '',
    report        TEXT   NOT NULL DEFAULT '',
    incidents     TEXT   NOT NULL DEFAULT '[]',
    started_at    BIGINT NOT NULL DEFAULT 0,
    ended_at      BIGINT NOT NULL DEFAULT 0,
    updated_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, visit_id)
) STRICT;
CREATE INDEX visit_start ON visit (tenant_id, start_at);
CREATE INDEX visit_school ON visit (tenant_id, school_id, start_at);
CREATE INDEX visit_technician ON visit (tenant_id, technician_id, start_at);

CREATE TABLE visit_incident (
    tenant_id   BIGINT NOT NULL,
    visit_id    BIGINT NOT NULL,
    incident_id BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, visit_id, incident_id)
) STRICT;
CREATE INDEX visit_of_incident ON visit_incident (tenant_id, incident_id);

-- Incidents that may not agree with their visits yet: written with the visit, deleted once the incident was planned or freed. planned_at is the instant that the visit had said before.
CREATE TABLE visit_settlement (
    tenant_id   BIGINT NOT NULL,
    incident_id BIGINT NOT NULL,
    planned_at  BIGINT NOT NULL,
    account_id  BIGINT NOT NULL,
    since_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, incident_id)
) STRICT;

-- Time spent, by whom and on what; a withdrawn entry stays, and does not count.
CREATE TABLE work_time (
    tenant_id     BIGINT NOT NULL,
    time_id       BIGINT NOT NULL,
    visit_id      BIGINT NOT NULL DEFAULT 0,
    incident_id   BIGINT NOT NULL DEFAULT 0,
    school_id     BIGINT NOT NULL,
    technician_id BIGINT NOT NULL,
    day           BIGINT NOT NULL,
    minutes       BIGINT NOT NULL,
    note          TEXT   NOT NULL DEFAULT '',
    withdrawn     BIGINT NOT NULL DEFAULT 0,
    logged_at     BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, time_id)
) STRICT;
CREATE INDEX work_time_incident ON work_time (tenant_id, incident_id);
CREATE INDEX work_time_visit ON work_time (tenant_id, visit_id);
CREATE INDEX work_time_technician ON work_time (tenant_id, technician_id, day);

-- A running timer: one a technician.
CREATE TABLE work_timer (
    tenant_id     BIGINT NOT NULL,
    technician_id BIGINT NOT NULL,
    visit_id      BIGINT NOT NULL,
    incident_id   BIGINT NOT NULL,
    started_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, technician_id)
) STRICT;

-- Calendar links: the generation that is valid, 0 when the person has closed theirs.
CREATE TABLE visit_feed (
    tenant_id     BIGINT NOT NULL,
    technician_id BIGINT NOT NULL,
    generation    BIGINT NOT NULL,
    is_open       BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, technician_id)
) STRICT;
