ALTER TABLE connector_connection ADD COLUMN view TEXT;
