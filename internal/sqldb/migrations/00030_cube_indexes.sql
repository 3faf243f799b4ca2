-- +goose Up
-- What a repeat is found by: earlier incidents on the same machine, or of the same category in the same room.
CREATE INDEX incident_machine ON incident (tenant_id, machine_label, opened_at) WHERE machine_label <> '';
CREATE INDEX incident_place ON incident (tenant_id, room_id, category_id, opened_at) WHERE room_id <> 0;
