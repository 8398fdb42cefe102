CREATE TABLE connector_leftover (
    id TEXT NOT NULL PRIMARY KEY,
    app TEXT NOT NULL,
    company_id TEXT,
    user_id TEXT,
    api_domain TEXT,
    access_token BYTEA,
    refresh_token BYTEA NOT NULL,
    next_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX connector_leftover_next ON connector_leftover (next_at);
CREATE TABLE connector_ended (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    renewed TEXT,
    expires_at BIGINT NOT NULL
);
