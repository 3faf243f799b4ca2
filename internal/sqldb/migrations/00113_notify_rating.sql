-- +goose Up
-- The rating is the incident's own word.
ALTER TABLE notify_answer DROP COLUMN rating;
ALTER TABLE notify_answer ADD COLUMN rating TEXT NOT NULL DEFAULT '';
