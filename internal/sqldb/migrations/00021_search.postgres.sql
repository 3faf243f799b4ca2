-- +goose Up
-- The words of the incidents, made by the reader "search" (package search, which says what they are).
CREATE TABLE search_index (
    tenant_id   BIGINT   NOT NULL,
    incident_id BIGINT   NOT NULL,
    words       TSVECTOR NOT NULL,
    PRIMARY KEY (tenant_id, incident_id)
);
CREATE INDEX search_words ON search_index USING gin (words);
