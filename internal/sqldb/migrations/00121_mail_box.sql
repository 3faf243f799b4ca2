-- +goose Up
-- Which mailbox the server's numbers of a message are of: two servers may count alike.
ALTER TABLE mail_message ADD COLUMN box TEXT NOT NULL DEFAULT '';
DROP INDEX mail_message_uid;
CREATE INDEX mail_message_uid ON mail_message (tenant_id, box, uid_validity, uid) WHERE uid <> 0;
