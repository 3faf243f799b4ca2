-- +goose Up
-- The digest under which an event was sealed, when its words were redacted since: the chain goes on holding without them. Empty: the event is as it was written.
ALTER TABLE event ADD COLUMN sealed TEXT NOT NULL DEFAULT '';

-- Erasures of persons. words holds what is looked for (names, addresses, what a person chose to redact) while the work goes on, and is emptied with its end; nothing else here names anybody.
CREATE TABLE privacy_erasure (
    tenant_id    BIGINT NOT NULL,
    erasure_id   BIGINT NOT NULL,
    person_id    BIGINT NOT NULL DEFAULT 0,
    account_id   BIGINT NOT NULL DEFAULT 0,
    state        TEXT   NOT NULL,
    words        TEXT   NOT NULL DEFAULT '',
    place        TEXT   NOT NULL DEFAULT '',
    done         TEXT   NOT NULL DEFAULT '{}',
    by_account   BIGINT NOT NULL,
    asked_at     BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, erasure_id)
) STRICT;

-- How long each kind of personal data is kept, where an administrator chose otherwise than the standing durations; 0 days keeps for ever.
CREATE TABLE privacy_retention (
    tenant_id  BIGINT NOT NULL,
    kind       TEXT   NOT NULL,
    days       BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    set_at     BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kind)
) STRICT;

-- What each nightly purge did, a row a kind and a run.
CREATE TABLE privacy_purge (
    tenant_id BIGINT NOT NULL,
    purge_id  BIGINT NOT NULL,
    kind      TEXT   NOT NULL,
    days      BIGINT NOT NULL,
    purged    BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, purge_id)
) STRICT;
CREATE INDEX privacy_purge_kind ON privacy_purge (tenant_id, kind, purge_id);

-- Who took what away. The same question asked again within an hour (a feed, a program) counts in the same row.
CREATE TABLE export_record (
    tenant_id  BIGINT NOT NULL,
    record_id  BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    person_id  BIGINT NOT NULL DEFAULT 0,
    door       TEXT   NOT NULL,
    what       TEXT   NOT NULL,
    format     TEXT   NOT NULL,
    question   TEXT   NOT NULL,
    scope      TEXT   NOT NULL,
    address    TEXT   NOT NULL,
    entries    BIGINT NOT NULL,
    times      BIGINT NOT NULL,
    hour       BIGINT NOT NULL,
    first_at   BIGINT NOT NULL,
    last_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, record_id)
) STRICT;
CREATE INDEX export_record_account ON export_record (tenant_id, account_id, last_at);
CREATE INDEX export_record_hour ON export_record (tenant_id, hour, account_id, what);
