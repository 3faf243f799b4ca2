-- +goose Up
-- The index is made anew with what each incident says to the unit only ("!" before), who may see it ("@") and its block of numbers ("#"): see package search.
DROP TABLE search_index;
CREATE TABLE search_index (
    tenant_id   BIGINT   NOT NULL,
    incident_id BIGINT   NOT NULL,
    words       TSVECTOR NOT NULL,
    PRIMARY KEY (tenant_id, incident_id)
);
CREATE INDEX search_words ON search_index USING gin (words);
-- Labels of machines by each of their endings that begins a word, folded: what is typed is the beginning of one.
CREATE TABLE search_machine (
    tenant_id BIGINT              NOT NULL,
    folded    TEXT COLLATE "C" NOT NULL,
    school_id BIGINT              NOT NULL,
    label     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, folded, school_id, label)
);
