-- +goose Up
-- The words of the incidents, made by the reader "search" (package search, which says what they are).
-- rowid is tenant_id * 2^40 + incident_id. The text itself is not kept.
CREATE VIRTUAL TABLE search_index USING fts5(stems, words, content='', contentless_delete=1, tokenize='ascii', prefix='2 3');
