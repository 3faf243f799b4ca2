-- +goose Up
CREATE INDEX incident_merged ON incident (tenant_id, merged_into) WHERE merged_into <> 0;
