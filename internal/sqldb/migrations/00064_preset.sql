-- +goose Up
-- Templates of declarations and macros, own or shared (body, JSON).
CREATE TABLE preset (
    tenant_id BIGINT NOT NULL,
    preset_id BIGINT NOT NULL,
    body      TEXT   NOT NULL,
    saved_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, preset_id)
) STRICT;
