-- +goose Up
-- What a check-list is made with. items is a JSON list; version counts its changes.
CREATE TABLE checklist_template (
    tenant_id   BIGINT NOT NULL,
    template_id BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    title       TEXT   NOT NULL,
    about       TEXT   NOT NULL DEFAULT '',
    items       TEXT   NOT NULL,
    archived    BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, template_id)
) STRICT;

-- A check-list in hand. checks is the JSON list of its items, with the text that they were made with, what was done, by whom and when.
CREATE TABLE checklist (
    tenant_id        BIGINT NOT NULL,
    checklist_id     BIGINT NOT NULL,
    version          BIGINT NOT NULL,
    template_id      BIGINT NOT NULL,
    template_version BIGINT NOT NULL,
    title            TEXT   NOT NULL,
    incident_id      BIGINT NOT NULL DEFAULT 0,
    visit_id         BIGINT NOT NULL DEFAULT 0,
    school_id        BIGINT NOT NULL,
    checks           TEXT   NOT NULL,
    items            BIGINT NOT NULL,
    done             BIGINT NOT NULL,
    mandatory_left   BIGINT NOT NULL,
    added_at         BIGINT NOT NULL,
    completed_at     BIGINT NOT NULL DEFAULT 0,
    removed          BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, checklist_id)
) STRICT;
CREATE INDEX checklist_incident ON checklist (tenant_id, incident_id);
CREATE INDEX checklist_visit ON checklist (tenant_id, visit_id);
CREATE INDEX checklist_added ON checklist (tenant_id, added_at);
