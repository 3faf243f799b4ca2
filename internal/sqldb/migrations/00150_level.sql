-- +goose Up
-- Who handles an incident: '' the département, 'school' its school first, else how it came from the school to the département.
ALTER TABLE incident ADD COLUMN level TEXT NOT NULL DEFAULT '';
ALTER TABLE incident ADD COLUMN level_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE incident ADD COLUMN tried TEXT NOT NULL DEFAULT '';
-- When who handles it now first did something about it.
ALTER TABLE incident ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX incident_level ON incident (tenant_id, level_at) WHERE level = 'school';

-- Which schools handle first what is declared there, of what categories (a JSON list, empty for all), and after how many open hours without a gesture it goes to the département by itself (0: never).
CREATE TABLE school_support (
    tenant_id  BIGINT NOT NULL,
    school_id  BIGINT NOT NULL,
    first      BIGINT NOT NULL,
    categories TEXT   NOT NULL DEFAULT '[]',
    hours      BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, school_id)
) STRICT;
