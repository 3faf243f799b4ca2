-- +goose Up
-- Every message that came in, and what became of it. digest: of what its sender wrote, so that one message is one row however often it comes. plan: what is about to be
-- done, kept before it is done, so that a second attempt does the same. claimed_at: somebody is sorting it. uid_validity and uid: where the server keeps it.
CREATE TABLE mail_message (
    tenant_id    BIGINT NOT NULL,
    message_id   BIGINT NOT NULL,
    digest       TEXT   NOT NULL,
    header_id    TEXT   NOT NULL DEFAULT '',
    state        TEXT   NOT NULL,
    reason       TEXT   NOT NULL DEFAULT '',
    error        TEXT   NOT NULL DEFAULT '',
    attempts     BIGINT NOT NULL DEFAULT 0,
    plan         TEXT   NOT NULL DEFAULT '',
    from_email   TEXT   NOT NULL DEFAULT '',
    from_name    TEXT   NOT NULL DEFAULT '',
    subject      TEXT   NOT NULL DEFAULT '',
    preview      TEXT   NOT NULL DEFAULT '',
    cc           TEXT   NOT NULL DEFAULT '',
    files        BIGINT NOT NULL DEFAULT 0,
    size         BIGINT NOT NULL,
    sent_at      BIGINT NOT NULL DEFAULT 0,
    received_at  BIGINT NOT NULL,
    outcome      TEXT   NOT NULL DEFAULT '',
    incident_id  BIGINT NOT NULL DEFAULT 0,
    person_id    BIGINT NOT NULL DEFAULT 0,
    account_id   BIGINT NOT NULL DEFAULT 0,
    ended_at     BIGINT NOT NULL DEFAULT 0,
    claimed_at   BIGINT NOT NULL DEFAULT 0,
    uid_validity BIGINT NOT NULL DEFAULT 0,
    uid          BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, message_id)
) STRICT;
CREATE UNIQUE INDEX mail_message_digest ON mail_message (tenant_id, digest);
CREATE INDEX mail_message_state ON mail_message (tenant_id, state, message_id);
CREATE INDEX mail_message_header ON mail_message (tenant_id, header_id) WHERE header_id <> '';
CREATE INDEX mail_message_incident ON mail_message (tenant_id, incident_id) WHERE incident_id <> 0;
CREATE INDEX mail_message_sender ON mail_message (tenant_id, from_email, received_at);
CREATE INDEX mail_message_uid ON mail_message (tenant_id, uid_validity, uid) WHERE uid <> 0;

-- The messages themselves, as they came: compressed (zstd), in chunks.
CREATE TABLE mail_raw (
    tenant_id  BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    chunk      BIGINT NOT NULL,
    data       BYTEA  NOT NULL,
    PRIMARY KEY (tenant_id, message_id, chunk)
) STRICT;

-- Senders whose messages are refused: an address, or "@domain".
CREATE TABLE mail_refused (
    tenant_id  BIGINT NOT NULL,
    sender     TEXT   NOT NULL,
    account_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, sender)
) STRICT;

-- How far each folder of a server was read: the server's own numbers, which mean nothing once its validity changes.
CREATE TABLE mail_cursor (
    tenant_id    BIGINT NOT NULL,
    box          TEXT   NOT NULL,
    uid_validity BIGINT NOT NULL,
    uid          BIGINT NOT NULL,
    backlog      BIGINT NOT NULL DEFAULT 0,
    holder       TEXT   NOT NULL DEFAULT '',
    held_until   BIGINT NOT NULL DEFAULT 0,
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, box)
) STRICT;
