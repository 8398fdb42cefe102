CREATE TABLE connector_connection (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    app TEXT NOT NULL,
    name TEXT NOT NULL,
    method TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    is_default BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    company_id TEXT,
    user_id TEXT,
    metadata TEXT NOT NULL,
    expires_at BIGINT,
    install TEXT,
    redirect_uri TEXT
);
CREATE UNIQUE INDEX connector_connection_name ON connector_connection (owner, app, name);
CREATE UNIQUE INDEX connector_connection_identity ON connector_connection (owner, app, company_id, user_id) WHERE status <> 'PENDING';
CREATE UNIQUE INDEX connector_connection_default ON connector_connection (owner, app) WHERE is_default = 1;
CREATE UNIQUE INDEX connector_connection_install ON connector_connection (install) WHERE install IS NOT NULL;
CREATE INDEX connector_connection_account ON connector_connection (app, company_id, user_id);
CREATE INDEX connector_connection_expiry ON connector_connection (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE connector_secret (
    connection_id TEXT NOT NULL PRIMARY KEY REFERENCES connector_connection (id) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    access_token BYTEA,
    refresh_token BYTEA,
    api_token BYTEA,
    granted_at BIGINT,
    refresh_at BIGINT,
    expires_at BIGINT
);
CREATE TABLE connector_install (
    handle TEXT NOT NULL PRIMARY KEY,
    app TEXT NOT NULL,
    code BYTEA NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE TABLE connector_used (
    hash TEXT NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE TABLE connector_ledger (
    key TEXT NOT NULL PRIMARY KEY,
    call TEXT NOT NULL,
    answer BYTEA,
    expires_at BIGINT NOT NULL
);
CREATE TABLE connector_key (
    id TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT,
    created_at BIGINT NOT NULL
);
