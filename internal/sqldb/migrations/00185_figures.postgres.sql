-- +goose Up
-- When each row of the table of clocks was last written: numbers that go up in the order of the commits, so that a reader finds what is new.
ALTER TABLE service_clock ADD COLUMN stamp BIGINT NOT NULL DEFAULT 0;
CREATE INDEX service_clock_stamp ON service_clock (tenant_id, stamp);

-- How many yes-or-no items of a list were answered no: what the statistics count.
ALTER TABLE checklist ADD COLUMN failed BIGINT NOT NULL DEFAULT 0;
UPDATE checklist SET failed = (SELECT count(*) FROM json_array_elements(CAST(checklist.checks AS json)) AS c
    WHERE c ->> 'kind' = 'yes_no' AND c ->> 'done' = 'true' AND c ->> 'value' = 'no');
