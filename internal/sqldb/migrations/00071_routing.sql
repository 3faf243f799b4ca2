-- +goose Up
-- Assignment rules, in their order; rule is what it says, as JSON.
CREATE TABLE routing_rule (
    tenant_id BIGINT NOT NULL,
    rule_id   BIGINT NOT NULL,
    position  BIGINT NOT NULL,
    rule      TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, rule_id)
) STRICT;
-- How many open incidents somebody has.
CREATE INDEX incident_load ON incident (tenant_id, assignee_id) WHERE state IN ('new', 'assigned', 'planned', 'waiting');
