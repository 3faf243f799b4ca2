-- +goose Up
-- What was written lately is looked at from end to end by every question: little of it may wait.
ALTER INDEX search_words SET (gin_pending_list_limit = 256);
-- The words that begin with four letters: a beginning gathers every row of every word before the first is given, so a few words are asked for by name.
CREATE TABLE search_word (
    tenant_id BIGINT           NOT NULL,
    word      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, word)
);
