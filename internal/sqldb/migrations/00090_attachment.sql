-- +goose Up
-- What people joined to incidents: the fold of attachment events.
CREATE TABLE attachment (
    tenant_id     BIGINT NOT NULL,
    attachment_id BIGINT NOT NULL,
    sha256        TEXT   NOT NULL,
    size          BIGINT NOT NULL,
    type          TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    width         BIGINT NOT NULL DEFAULT 0,
    height        BIGINT NOT NULL DEFAULT 0,
    thumb_sha256  TEXT   NOT NULL DEFAULT '',
    thumb_width   BIGINT NOT NULL DEFAULT 0,
    thumb_height  BIGINT NOT NULL DEFAULT 0,
    put_by_kind   TEXT   NOT NULL,
    put_by_id     BIGINT NOT NULL,
    put_at        BIGINT NOT NULL,
    incident_id   BIGINT NOT NULL DEFAULT 0,
    internal      BIGINT NOT NULL DEFAULT 0,
    removed_at    BIGINT NOT NULL DEFAULT 0,
    removed_kind  TEXT   NOT NULL DEFAULT '',
    removed_id    BIGINT NOT NULL DEFAULT 0,
    purged_at     BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, attachment_id)
) STRICT;
CREATE INDEX attachment_incident ON attachment (tenant_id, incident_id);
CREATE INDEX attachment_sha256 ON attachment (tenant_id, sha256);
CREATE INDEX attachment_thumb ON attachment (tenant_id, thumb_sha256) WHERE thumb_sha256 <> '';

-- Contents, which are not in the journal: one a hash, in chunks. A content that is not ready is being written, or was when the power went.
CREATE TABLE attachment_content (
    tenant_id  BIGINT NOT NULL,
    content_id BIGINT NOT NULL,
    sha256     TEXT   NOT NULL,
    size       BIGINT NOT NULL,
    ready      BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, content_id)
) STRICT;
CREATE UNIQUE INDEX attachment_content_sha256 ON attachment_content (tenant_id, sha256) WHERE ready = 1;
CREATE TABLE attachment_chunk (
    tenant_id  BIGINT NOT NULL,
    content_id BIGINT NOT NULL,
    number     BIGINT NOT NULL,
    data       BYTEA  NOT NULL,
    PRIMARY KEY (tenant_id, content_id, number)
) STRICT;
