-- +goose Up
-- The last result of each statistical method, with what it was made from (gzip of JSON), so that anybody can do it again.
CREATE TABLE analysis_result (
    tenant_id BIGINT NOT NULL,
    method    TEXT   NOT NULL,
    version   BIGINT NOT NULL,
    seed      TEXT   NOT NULL,
    today     BIGINT NOT NULL,
    as_of     TEXT   NOT NULL,
    made_at   BIGINT NOT NULL,
    took_ms   BIGINT NOT NULL,
    input     BYTEA  NOT NULL,
    output    BYTEA  NOT NULL,
    failure   TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, method)
) STRICT;
