-- +goose Up
-- How far the index of words is made: everything from number below on is, 0 when all is. An index of another version is made anew.
CREATE TABLE search_build (
    tenant_id BIGINT NOT NULL,
    version   BIGINT NOT NULL,
    below     BIGINT NOT NULL,
    PRIMARY KEY (tenant_id)
) STRICT;
-- Incidents that wait to be read again.
CREATE TABLE search_again (
    tenant_id   BIGINT NOT NULL,
    incident_id BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, incident_id)
) STRICT;
-- Names of schools (room 0) and rooms as they are in the index.
CREATE TABLE search_place (
    tenant_id BIGINT NOT NULL,
    school_id BIGINT NOT NULL,
    room_id   BIGINT NOT NULL,
    name      TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, school_id, room_id)
) STRICT;
