-- +goose Up
-- What the declaration portal says of a category: its picture and plain word if it stands there (shown), and what to do meanwhile.
CREATE TABLE portal_tile (
    tenant_id   BIGINT NOT NULL,
    category_id BIGINT NOT NULL,
    shown       BIGINT NOT NULL DEFAULT 0,
    position    BIGINT NOT NULL DEFAULT 0,
    icon        TEXT   NOT NULL DEFAULT '',
    label       TEXT   NOT NULL DEFAULT '',
    label_en    TEXT   NOT NULL DEFAULT '',
    advice      TEXT   NOT NULL DEFAULT '',
    advice_en   TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, category_id)
) STRICT;
