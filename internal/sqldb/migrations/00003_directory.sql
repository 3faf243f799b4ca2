-- +goose Up
CREATE TABLE school (
    tenant_id   BIGINT NOT NULL,
    school_id   BIGINT NOT NULL,
    uai         TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    commune     TEXT   NOT NULL DEFAULT '',
    insee       TEXT   NOT NULL DEFAULT '',
    postal_code TEXT   NOT NULL DEFAULT '',
    address     TEXT   NOT NULL DEFAULT '',
    lat         DOUBLE PRECISION NOT NULL DEFAULT 0,
    lon         DOUBLE PRECISION NOT NULL DEFAULT 0,
    located     BIGINT NOT NULL DEFAULT 0,
    zone        TEXT   NOT NULL DEFAULT '',
    opened_day  BIGINT NOT NULL DEFAULT 0,
    closed_day  BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, school_id)
) STRICT;
CREATE UNIQUE INDEX school_uai ON school (tenant_id, uai);

CREATE TABLE room (
    tenant_id BIGINT NOT NULL,
    room_id   BIGINT NOT NULL,
    school_id BIGINT NOT NULL,
    name      TEXT   NOT NULL,
    network   TEXT   NOT NULL DEFAULT '',
    archived  BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, room_id)
) STRICT;
CREATE UNIQUE INDEX room_name ON room (tenant_id, school_id, name);

CREATE TABLE person (
    tenant_id BIGINT NOT NULL,
    person_id BIGINT NOT NULL,
    name      TEXT   NOT NULL,
    kind      TEXT   NOT NULL,
    school_id BIGINT NOT NULL DEFAULT 0,
    email     TEXT   NOT NULL DEFAULT '',
    phone     TEXT   NOT NULL DEFAULT '',
    external  TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, person_id)
) STRICT;
CREATE UNIQUE INDEX person_external ON person (tenant_id, external) WHERE external <> '';

CREATE TABLE team (
    tenant_id BIGINT NOT NULL,
    team_id   BIGINT NOT NULL,
    name      TEXT   NOT NULL,
    archived  BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, team_id)
) STRICT;
CREATE UNIQUE INDEX team_name ON team (tenant_id, name);

-- Denominators: what is in service from that day on, until the next row of the school.
CREATE TABLE exposure (
    tenant_id BIGINT NOT NULL,
    school_id BIGINT NOT NULL,
    from_day  BIGINT NOT NULL,
    computers BIGINT NOT NULL,
    pupils    BIGINT NOT NULL,
    source    TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, school_id, from_day)
) STRICT;

CREATE TABLE school_holiday (
    tenant_id BIGINT NOT NULL,
    zone      TEXT   NOT NULL,
    first_day BIGINT NOT NULL,
    last_day  BIGINT NOT NULL,
    name      TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, zone, first_day)
) STRICT;

CREATE TABLE public_holiday (
    tenant_id BIGINT NOT NULL,
    day       BIGINT NOT NULL,
    name      TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, day)
) STRICT;

-- school_id 0 is the département's default; minutes are local wall-clock minutes since midnight.
CREATE TABLE opening_hours (
    tenant_id   BIGINT NOT NULL,
    school_id   BIGINT NOT NULL,
    weekday     BIGINT NOT NULL,
    from_minute BIGINT NOT NULL,
    to_minute   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, school_id, weekday, from_minute)
) STRICT;

CREATE TABLE closure (
    tenant_id  BIGINT NOT NULL,
    closure_id BIGINT NOT NULL,
    school_id  BIGINT NOT NULL,
    first_day  BIGINT NOT NULL,
    last_day   BIGINT NOT NULL,
    reason     TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, closure_id)
) STRICT;
