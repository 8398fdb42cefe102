ALTER TABLE connector_secret ADD COLUMN verifier BYTEA;
CREATE TABLE connector_grant (
    id TEXT NOT NULL PRIMARY KEY,
    app TEXT NOT NULL,
    company_id TEXT,
    user_id TEXT,
    api_domain TEXT,
    access_token BYTEA,
    refresh_token BYTEA,
    next_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
INSERT INTO connector_grant SELECT id, app, company_id, user_id, api_domain, access_token, refresh_token, next_at, expires_at FROM connector_leftover;
DROP TABLE connector_leftover;
ALTER TABLE connector_grant RENAME TO connector_leftover;
CREATE INDEX connector_leftover_next ON connector_leftover (next_at);
