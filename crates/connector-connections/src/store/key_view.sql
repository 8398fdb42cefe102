ALTER TABLE connector_key ADD COLUMN view TEXT;
