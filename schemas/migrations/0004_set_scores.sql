-- What the search over all training sets of a known system found, so that it can go on where it stopped.

-- `search` is the SHA-256 of the rates and of what was asked of them; j are lists such as 5,9,14,19.
CREATE TABLE set_score (
    search VARCHAR NOT NULL,
    system_name VARCHAR NOT NULL,
    kernel VARCHAR NOT NULL,
    train_j VARCHAR NOT NULL,
    validate_j VARCHAR NOT NULL,
    dex_rms DOUBLE NOT NULL,
    log10_percent_error DOUBLE NOT NULL
);

CREATE VIEW set_scores AS
SELECT
    search, system_name AS system, kernel,
    CAST(string_split(train_j, ',') AS INTEGER[]) AS train_j,
    CAST(string_split(validate_j, ',') AS INTEGER[]) AS validate_j,
    dex_rms, log10_percent_error
FROM set_score;
