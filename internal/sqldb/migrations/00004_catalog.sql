-- +goose Up
CREATE TABLE category (
    tenant_id   BIGINT NOT NULL,
    category_id BIGINT NOT NULL,
    parent_id   BIGINT NOT NULL DEFAULT 0,
    label       TEXT   NOT NULL,
    label_en    TEXT   NOT NULL DEFAULT '',
    icon        TEXT   NOT NULL DEFAULT '',
    position    BIGINT NOT NULL DEFAULT 0,
    archived    BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, category_id)
) STRICT;
CREATE UNIQUE INDEX category_label ON category (tenant_id, parent_id, label);

-- kind: cause, resolution, waiting
CREATE TABLE code (
    tenant_id BIGINT NOT NULL,
    code_id   BIGINT NOT NULL,
    kind      TEXT   NOT NULL,
    label     TEXT   NOT NULL,
    label_en  TEXT   NOT NULL DEFAULT '',
    position  BIGINT NOT NULL DEFAULT 0,
    archived  BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, code_id)
) STRICT;
CREATE UNIQUE INDEX code_label ON code (tenant_id, kind, label);

CREATE TABLE priority_matrix (
    tenant_id BIGINT NOT NULL,
    impact    BIGINT NOT NULL,
    urgency   BIGINT NOT NULL,
    priority  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, impact, urgency)
) STRICT;
