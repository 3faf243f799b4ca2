-- +goose Up
-- The index is made anew with what each incident says to the unit only (istems, iwords) and who may see it (marks): see package search.
DROP TABLE search_index;
CREATE VIRTUAL TABLE search_index USING fts5(stems, words, istems, iwords, marks, content='', contentless_delete=1, tokenize='ascii', prefix='2 3');
-- Labels of machines by each of their endings that begins a word, folded: what is typed is the beginning of one.
CREATE TABLE search_machine (
    tenant_id BIGINT NOT NULL,
    folded    TEXT   NOT NULL,
    school_id BIGINT NOT NULL,
    label     TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, folded, school_id, label)
) STRICT;
-- The words that begin with four letters: FTS5 gathers every row of a beginning before it gives the first, so a few words are asked for by name.
CREATE TABLE search_word (
    tenant_id BIGINT NOT NULL,
    word      TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, word)
) STRICT;
