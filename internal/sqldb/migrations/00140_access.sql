-- +goose Up
-- A second factor (TOTP): its secret must be readable to be checked, like the password hashes it is in the backup and nowhere else. last_step is the last time step used: a code serves once.
CREATE TABLE account_factor (
    tenant_id    BIGINT NOT NULL,
    account_id   BIGINT NOT NULL,
    secret       TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    confirmed_at BIGINT NOT NULL DEFAULT 0,
    last_step    BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, account_id)
) STRICT;

-- Codes that replace a lost telephone, each once; SHA-256 of 80 random bits.
CREATE TABLE account_recovery (
    tenant_id  BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    code_hash  TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, account_id, code_hash)
) STRICT;

-- Who vouches for an account: '' is its own password, else a directory or an identity provider, in which subject names it.
ALTER TABLE account ADD COLUMN provider TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN subject TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX account_subject ON account (tenant_id, provider, subject) WHERE provider <> '';

-- How people sign in, as JSON by name; what is secret in it is in table secret.
CREATE TABLE auth_setting (
    tenant_id BIGINT NOT NULL,
    name      TEXT   NOT NULL,
    value     TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, name)
) STRICT;
