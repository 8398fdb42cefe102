CREATE TABLE connector_definition (
    key TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    records BYTEA,
    size BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    holder TEXT NOT NULL,
    reading_until BIGINT NOT NULL
);
CREATE INDEX connector_definition_owner ON connector_definition (owner, connection_id);
CREATE INDEX connector_definition_read ON connector_definition (read_at)
