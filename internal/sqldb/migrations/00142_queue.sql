-- +goose Up
-- Saved views of the list of incidents: an address under a name. audience says who else sees it; a view only filters, whoever opens it sees their own scope.
CREATE TABLE saved_view (
    tenant_id  BIGINT NOT NULL,
    view_id    BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    name       TEXT   NOT NULL,
    query      TEXT   NOT NULL,
    audience   TEXT   NOT NULL,
    target_id  BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, view_id)
) STRICT;
CREATE INDEX saved_view_account ON saved_view (tenant_id, account_id);

-- Up to which version of an incident an account has read.
CREATE TABLE incident_read (
    tenant_id   BIGINT NOT NULL,
    account_id  BIGINT NOT NULL,
    incident_id BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    read_at     BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, account_id, incident_id)
) STRICT;
CREATE INDEX incident_read_at ON incident_read (tenant_id, read_at);

-- Since when unread incidents are marked: "all read" moves it.
CREATE TABLE read_since (
    tenant_id  BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    since_at   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, account_id)
) STRICT;

-- Who has an incident before them, until when unless they say so again.
CREATE TABLE incident_presence (
    tenant_id   BIGINT NOT NULL,
    incident_id BIGINT NOT NULL,
    account_id  BIGINT NOT NULL,
    writing     BIGINT NOT NULL,
    until_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, incident_id, account_id)
) STRICT;
CREATE INDEX incident_presence_until ON incident_presence (tenant_id, until_at);
