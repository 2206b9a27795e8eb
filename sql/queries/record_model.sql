-- Run by recommendation_model before its weights are stored: the model that is to be served.
insert into pipeline.recommendation_models (
    kind, method_version, inputs, parameters, persons, films, likes, entries, newest_entry, seconds, fitted_at)
values (
    :kind, :method, :inputs, cast(:parameters as jsonb), :persons, :films, :likes, :entries, :newest, :seconds, :fitted_at)
returning model_id
