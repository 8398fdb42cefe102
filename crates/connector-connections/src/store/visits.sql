CREATE TABLE connector_visit (
    hash TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
