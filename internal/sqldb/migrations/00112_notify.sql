-- +goose Up
-- Messages to people (package notify): one row for each message to one person. What they say is written at the moment of sending and not kept here.
-- event_seq is the event of the incident that the message tells of; due_at is when a held message joins a digest, digest_id the message that took it in.
CREATE TABLE notify_message (
    tenant_id   BIGINT NOT NULL,
    message_id  BIGINT NOT NULL,
    incident_id BIGINT NOT NULL DEFAULT 0,
    person_id   BIGINT NOT NULL DEFAULT 0,
    address     TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    event_seq   BIGINT NOT NULL DEFAULT 0,
    state       TEXT   NOT NULL,
    reason      TEXT   NOT NULL DEFAULT '',
    subject     TEXT   NOT NULL DEFAULT '',
    tries       BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL,
    sent_at     BIGINT NOT NULL DEFAULT 0,
    due_at      BIGINT NOT NULL DEFAULT 0,
    digest_id   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, message_id)
) STRICT;
CREATE INDEX notify_message_incident ON notify_message (tenant_id, incident_id, message_id) WHERE incident_id <> 0;
CREATE INDEX notify_message_held ON notify_message (tenant_id, due_at) WHERE state = 'held';
CREATE INDEX notify_message_sent ON notify_message (tenant_id, address, sent_at) WHERE sent_at <> 0;
CREATE INDEX notify_message_digest ON notify_message (tenant_id, digest_id) WHERE digest_id <> 0;
CREATE UNIQUE INDEX notify_message_once ON notify_message (tenant_id, incident_id, event_seq, person_id) WHERE event_seq <> 0;

-- What would have been sent, when nothing can be: the demonstration's outbox.
CREATE TABLE notify_outbox (
    tenant_id  BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    name       TEXT   NOT NULL,
    address    TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, message_id)
) STRICT;

-- What each person wants of each topic, where it is not their role's default.
CREATE TABLE notify_preference (
    tenant_id BIGINT NOT NULL,
    person_id BIGINT NOT NULL,
    topic     TEXT   NOT NULL,
    mode      TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, person_id, topic)
) STRICT;

CREATE TABLE notify_default (
    tenant_id BIGINT NOT NULL,
    role      TEXT   NOT NULL,
    topic     TEXT   NOT NULL,
    mode      TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, role, topic)
) STRICT;

-- The département's own words, where they are not the product's.
CREATE TABLE notify_template (
    tenant_id  BIGINT NOT NULL,
    kind       TEXT   NOT NULL,
    lang       TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kind, lang)
) STRICT;

-- Addresses that gave messages back. permanent: nothing is sent there any more.
CREATE TABLE notify_bounce (
    tenant_id BIGINT NOT NULL,
    address   TEXT   NOT NULL,
    permanent BIGINT NOT NULL DEFAULT 0,
    bounces   BIGINT NOT NULL,
    first_at  BIGINT NOT NULL,
    last_at   BIGINT NOT NULL,
    reason    TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, address)
) STRICT;

-- What people answered by the links of a message. round is the event (the resolution) that the question was about.
CREATE TABLE notify_answer (
    tenant_id   BIGINT NOT NULL,
    incident_id BIGINT NOT NULL,
    person_id   BIGINT NOT NULL,
    round       BIGINT NOT NULL,
    choice      TEXT   NOT NULL,
    rating      BIGINT NOT NULL DEFAULT 0,
    first_at    BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, incident_id, person_id, round)
) STRICT;
