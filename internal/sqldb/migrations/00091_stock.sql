-- +goose Up
-- Parts: items, places, the ledger of movements, and the levels that are its fold. Prices are in cents.
CREATE TABLE stock_item (
    tenant_id   BIGINT NOT NULL,
    item_id     BIGINT NOT NULL,
    reference   TEXT   NOT NULL DEFAULT '',
    name        TEXT   NOT NULL,
    kind        TEXT   NOT NULL DEFAULT '',
    unit        TEXT   NOT NULL DEFAULT '',
    price       BIGINT NOT NULL DEFAULT 0,
    supplier    TEXT   NOT NULL DEFAULT '',
    note        TEXT   NOT NULL DEFAULT '',
    minimum     BIGINT NOT NULL DEFAULT 0,
    wanted      BIGINT NOT NULL DEFAULT 0,
    archived    BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, item_id)
) STRICT;

CREATE TABLE stock_place (
    tenant_id   BIGINT NOT NULL,
    place_id    BIGINT NOT NULL,
    name        TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    person_id   BIGINT NOT NULL DEFAULT 0,
    school_id   BIGINT NOT NULL DEFAULT 0,
    archived    BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, place_id)
) STRICT;

-- from_id and to_id are places; 0 is outside. reverses is the movement that this one takes back.
CREATE TABLE stock_movement (
    tenant_id   BIGINT NOT NULL,
    movement_id BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    kind        TEXT   NOT NULL,
    item_id     BIGINT NOT NULL,
    from_id     BIGINT NOT NULL DEFAULT 0,
    to_id       BIGINT NOT NULL DEFAULT 0,
    quantity    BIGINT NOT NULL,
    price       BIGINT NOT NULL DEFAULT 0,
    incident_id BIGINT NOT NULL DEFAULT 0,
    school_id   BIGINT NOT NULL DEFAULT 0,
    reason      TEXT   NOT NULL DEFAULT '',
    discrepancy BIGINT NOT NULL DEFAULT 0,
    reverses    BIGINT NOT NULL DEFAULT 0,
    reversed_by BIGINT NOT NULL DEFAULT 0,
    actor_kind  TEXT   NOT NULL,
    actor_id    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, movement_id)
) STRICT;
CREATE INDEX stock_movement_item ON stock_movement (tenant_id, item_id, movement_id);
CREATE INDEX stock_movement_incident ON stock_movement (tenant_id, incident_id, movement_id) WHERE incident_id <> 0;
CREATE INDEX stock_movement_at ON stock_movement (tenant_id, at);

CREATE TABLE stock_level (
    tenant_id   BIGINT NOT NULL,
    item_id     BIGINT NOT NULL,
    place_id    BIGINT NOT NULL,
    quantity    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, item_id, place_id)
) STRICT;
