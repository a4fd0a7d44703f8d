-- Models of tops and pairs are trained on initial states, named by label; train_j is empty there.

ALTER TABLE model ADD COLUMN train_units VARCHAR[];
ALTER TABLE model ADD COLUMN validate_units VARCHAR[];

CREATE OR REPLACE VIEW models AS
SELECT
    model.model_id, s.name AS system, model.engine, model.kernel, model.features, model.train_j,
    model.validate_j, model.target_j, model.training_sha256, model.training_source_ids, model.criterion,
    model.seed, model.validation, model.tried, model.seconds, model.trained_at, model.ratedb_version,
    model.library_versions,
    -- Each mean once, in the order of the members.
    nullif(array_to_string(list_filter(
        json_extract_string(model.state, '$.members[*].mean'),
        lambda mean, place: list_position(json_extract_string(model.state, '$.members[*].mean'), mean) = place
    ), ', '), '') AS mean,
    json_extract_string(model.state, '$.reference.system') AS prior,
    coalesce(model.train_units, []) AS train_units, coalesce(model.validate_units, []) AS validate_units
FROM model JOIN collision_system AS s USING (system_id);
