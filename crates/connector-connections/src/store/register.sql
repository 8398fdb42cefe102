CREATE TABLE connector_match (
    key TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    leased_until BIGINT NOT NULL,
    unsure_until BIGINT NOT NULL
);
CREATE TABLE connector_match_record (
    key TEXT NOT NULL,
    record TEXT NOT NULL,
    kept_until BIGINT NOT NULL,
    PRIMARY KEY (key, record)
);
CREATE INDEX connector_match_leased ON connector_match (leased_until);
CREATE INDEX connector_match_record_kept ON connector_match_record (kept_until)
