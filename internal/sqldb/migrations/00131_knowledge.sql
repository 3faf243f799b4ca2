-- +goose Up
-- audience: everyone, technicians; state: draft, published, retired
CREATE TABLE article (
    tenant_id    BIGINT NOT NULL,
    article_id   BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    audience     TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    title        TEXT   NOT NULL,
    title_en     TEXT   NOT NULL,
    body         TEXT   NOT NULL,
    body_en      TEXT   NOT NULL,
    category_id  BIGINT NOT NULL,
    equipment    TEXT   NOT NULL,
    incident_id  BIGINT NOT NULL,
    starter      TEXT   NOT NULL,
    review_day   BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    published_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, article_id)
) STRICT;

-- What an article was good for. use: helped, not_helped (one of them an
-- account), avoided (one a day and account), applied (one an incident).
CREATE TABLE article_use (
    tenant_id   BIGINT NOT NULL,
    article_id  BIGINT NOT NULL,
    use         TEXT   NOT NULL,
    account_id  BIGINT NOT NULL,
    incident_id BIGINT NOT NULL,
    day         BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, article_id, use, account_id, incident_id, day)
) STRICT;
