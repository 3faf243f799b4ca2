-- +goose Up
-- The incidents whose clocks still go, some hundreds among all: what is late or soon will be.
CREATE INDEX service_clock_going ON service_clock (tenant_id, resolution_due) WHERE response_phase IN ('running', 'paused') OR resolution_phase IN ('running', 'paused');
