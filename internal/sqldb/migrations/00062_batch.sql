-- +goose Up
-- One change asked of many incidents: how far it is, and what became of each. What it did is in the journal of the incidents.
CREATE TABLE batch (
    tenant_id  BIGINT NOT NULL,
    batch_id   BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    change     TEXT   NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, batch_id)
) STRICT;

CREATE TABLE batch_item (
    tenant_id   BIGINT NOT NULL,
    batch_id    BIGINT NOT NULL,
    item_id     BIGINT NOT NULL,
    incident_id BIGINT NOT NULL,
    outcome     TEXT   NOT NULL,
    version     BIGINT NOT NULL DEFAULT 0,
    reason      TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, batch_id, item_id)
) STRICT;
CREATE UNIQUE INDEX batch_item_incident ON batch_item (tenant_id, batch_id, incident_id);
