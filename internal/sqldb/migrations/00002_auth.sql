-- +goose Up
CREATE TABLE account (
    tenant_id     BIGINT NOT NULL,
    account_id    BIGINT NOT NULL,
    login         TEXT   NOT NULL,
    person_id     BIGINT NOT NULL DEFAULT 0,
    role          TEXT   NOT NULL,
    password_hash TEXT   NOT NULL,
    locale        TEXT   NOT NULL DEFAULT '',
    theme         TEXT   NOT NULL DEFAULT '',
    disabled      BIGINT NOT NULL DEFAULT 0,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, account_id)
) STRICT;
CREATE UNIQUE INDEX account_login ON account (tenant_id, login);

CREATE TABLE account_school (
    tenant_id  BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    school_id  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, account_id, school_id)
) STRICT;

CREATE TABLE session (
    tenant_id  BIGINT NOT NULL,
    token_hash TEXT   NOT NULL,
    data       BYTEA  NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, token_hash)
) STRICT;
CREATE INDEX session_expiry ON session (tenant_id, expires_at);

CREATE TABLE api_token (
    tenant_id    BIGINT NOT NULL,
    token_id     BIGINT NOT NULL,
    account_id   BIGINT NOT NULL,
    token_hash   TEXT   NOT NULL,
    label        TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL DEFAULT 0,
    last_used_at BIGINT NOT NULL DEFAULT 0,
    revoked_at   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, token_id)
) STRICT;
CREATE UNIQUE INDEX api_token_hash ON api_token (tenant_id, token_hash);

CREATE TABLE idempotency (
    tenant_id    BIGINT NOT NULL,
    account_id   BIGINT NOT NULL,
    key          TEXT   NOT NULL,
    request_hash TEXT   NOT NULL,
    subject_id   BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, account_id, key)
) STRICT;
