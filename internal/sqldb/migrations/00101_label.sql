-- +goose Up
-- A label stuck on a room or a machine: its signed link opens the form for that place.
CREATE TABLE label (
    tenant_id     BIGINT NOT NULL,
    label_id      BIGINT NOT NULL,
    school_id     BIGINT NOT NULL,
    room_id       BIGINT NOT NULL DEFAULT 0,
    machine_label TEXT   NOT NULL DEFAULT '',
    made_at       BIGINT NOT NULL,
    revoked_at    BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, label_id)
) STRICT;
CREATE INDEX label_place ON label (tenant_id, school_id, room_id, machine_label);

-- The code by which a school confirms what is declared from its labels. It keeps strangers out and is told to everybody there: it is no secret of a person, and is not in the journal.
CREATE TABLE label_code (
    tenant_id BIGINT NOT NULL,
    school_id BIGINT NOT NULL,
    code      TEXT   NOT NULL,
    set_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, school_id)
) STRICT;

-- What was declared from a label and is not confirmed yet. Texts and address are erased once it is decided.
CREATE TABLE label_report (
    tenant_id   BIGINT NOT NULL,
    report_id   BIGINT NOT NULL,
    label_id    BIGINT NOT NULL,
    school_id   BIGINT NOT NULL,
    category_id BIGINT NOT NULL DEFAULT 0,
    title       TEXT   NOT NULL,
    description TEXT   NOT NULL DEFAULT '',
    name        TEXT   NOT NULL DEFAULT '',
    email       TEXT   NOT NULL DEFAULT '',
    language    TEXT   NOT NULL DEFAULT '',
    once_key    TEXT   NOT NULL DEFAULT '',
    state       TEXT   NOT NULL,
    incident_id BIGINT NOT NULL DEFAULT 0,
    received_at BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    decided_at  BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, report_id)
) STRICT;
CREATE INDEX label_report_state ON label_report (tenant_id, state, expires_at);
CREATE INDEX label_report_label ON label_report (tenant_id, label_id, state);

-- How often something was tried: shared by all servers. The key is a digest.
CREATE TABLE label_tally (
    tenant_id BIGINT NOT NULL,
    tally_key TEXT   NOT NULL,
    since     BIGINT NOT NULL,
    tries     BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, tally_key)
) STRICT;
