-- Comments: applied last, whenever this file or anything else of the schema changed. They say what each table, view and column
-- of pipeline holds, for psql, the web UI and docs/reference.md. A test names the columns that have none.

comment on table pipeline.alert_deliveries is 'a message about an alert that a destination received';
comment on column pipeline.alert_deliveries.destination is 'destination that received it, a row of pipeline.alert_destinations';
comment on column pipeline.alert_deliveries.alert_id is 'alert that the message was about';
comment on column pipeline.alert_deliveries.event is 'what the message said: broken, worse, recovered or came_and_went';
comment on column pipeline.alert_deliveries.severity is 'severity that the message stated: WARN or ERROR';
comment on column pipeline.alert_deliveries.delivered_at is 'when the destination accepted the message';

comment on table pipeline.alert_destinations is
    'a destination of alerts (a webhook, a mail address), and whether deliveries succeed';
comment on column pipeline.alert_destinations.destination is 'name of the destination, without its address or key';
comment on column pipeline.alert_destinations.since is
    'since when the destination is configured; alerts that ended before are not sent to it';
comment on column pipeline.alert_destinations.failures is 'failed deliveries in a row; 0 if the last one succeeded';
comment on column pipeline.alert_destinations.next_attempt_at is 'earliest time of the next delivery';
comment on column pipeline.alert_destinations.failing_since is
    'when the first of the failures in a row happened; null if the last delivery succeeded';
comment on column pipeline.alert_destinations.last_error is 'reason of the last failed delivery; null if there was none';
comment on column pipeline.alert_destinations.last_delivered_at is 'when a delivery last succeeded; null if none did';

comment on table pipeline.alert_mutes is 'a name about which no alerts are sent until a given time';
comment on column pipeline.alert_mutes.name is 'name of a check, job, sensor, schedule, daemon or asset';
comment on column pipeline.alert_mutes.muted_at is 'when it was muted';
comment on column pipeline.alert_mutes.until is 'when the mute ends';

comment on table pipeline.alerts is 'one time that something was broken, from the failure to the recovery';
comment on column pipeline.alerts.alert_id is 'number of the alert';
comment on column pipeline.alerts.kind is 'what is broken: check, job, freshness, sensor, schedule or daemon';
comment on column pipeline.alerts.place is 'asset of the check; empty for what belongs to no asset';
comment on column pipeline.alerts.name is 'name of the check, job, asset, sensor, schedule or daemon';
comment on column pipeline.alerts.severity is 'worst severity since it began: WARN or ERROR';
comment on column pipeline.alerts.says is 'what is wrong, as last reported';
comment on column pipeline.alerts.expected is 'what the check or job should have found or done';
comment on column pipeline.alerts.figures is 'figures of the last report, by name';
comment on column pipeline.alerts.evidence is 'id of the event or run that reported it last';
comment on column pipeline.alerts.link is 'path in the web UI that shows it';
comment on column pipeline.alerts.began_at is 'when the first failure in a row happened';
comment on column pipeline.alerts.noticed_at is 'when the alerts'' sensor saw it';
comment on column pipeline.alerts.ended_at is 'when it recovered; null while it is open';
comment on column pipeline.alerts.ended_how is
    'recovered, or gone if the check, job or sensor no longer exists; null while it is open';
comment on column pipeline.alerts.is_hushed is
    'true if it ended while muted, so that no message is sent to destinations that did not receive its beginning';

comment on table pipeline.api_calls is 'calls to TMDB in one session of a run, by endpoint and outcome; kept for 90 days';
comment on column pipeline.api_calls.id is 'number of the row';
comment on column pipeline.api_calls.run_id is 'Dagster''s id of the run that did it; the web UI shows it under /runs/<id>';
comment on column pipeline.api_calls.started_at is 'when the session began; a run can have several';
comment on column pipeline.api_calls.ended_at is 'when the session ended';
comment on column pipeline.api_calls.endpoint is
    'what was called: movie, tv (a series), season, export, changes, discover or find';
comment on column pipeline.api_calls.status is 'HTTP status of the responses, or the name of the failure if there was none';
comment on column pipeline.api_calls.calls is 'number of calls';
comment on column pipeline.api_calls.bytes is 'size of the responses in bytes: unpacked, but of an export as it was downloaded';
comment on column pipeline.api_calls.p50_ms is 'median duration of a call in milliseconds';
comment on column pipeline.api_calls.p95_ms is '95th percentile of the duration of a call in milliseconds';
comment on column pipeline.api_calls.max_ms is 'longest duration of a call in milliseconds';
comment on column pipeline.api_calls.retries is 'how many of the calls repeated one that had failed';
comment on column pipeline.api_calls.seconds_waited is
    'seconds that calls waited for the rate limit and in pauses, added up over calls that waited at the same '
    'time';

comment on table pipeline.title_change_days is 'a day of TMDB''s change feed that was read';
comment on column pipeline.title_change_days.media_type is 'media type of the feed: movie or series';
comment on column pipeline.title_change_days.change_date is 'day (UTC) of the feed';
comment on column pipeline.title_change_days.ids is 'number of ids that the feed listed for this day when it was last read';
comment on column pipeline.title_change_days.read_at is 'when this day of the feed was last read';

comment on table pipeline.changed_histories is
    'a person whose history changed since their recommendations were made; filled by triggers';
comment on column pipeline.changed_histories.person is 'a person of catalog.watched_titles';
comment on column pipeline.changed_histories.changes is
    'number of changes; it tells whether more arrived while the list was being made';

comment on table pipeline.changed_titles is 'an id in one day of TMDB''s change feed';
comment on column pipeline.changed_titles.change_date is 'day (UTC) of the feed';
comment on column pipeline.changed_titles.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column pipeline.changed_titles.seen_at is
    'when the id was first read in the feed of that day; it counts as changed from then on';

comment on table pipeline.discovered_titles is 'a film in TMDB''s lists (/discover) with enough votes';
comment on column pipeline.discovered_titles.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column pipeline.discovered_titles.vote_count is 'number of votes at TMDB, as listed';
comment on column pipeline.discovered_titles.vote_average is 'average of TMDB''s votes as listed, 0 to 10; null if there is none';
comment on column pipeline.discovered_titles.release_date is 'release date as listed; null if there is none';
comment on column pipeline.discovered_titles.original_language is 'original language as listed, ISO 639-1; null if there is none';

comment on column pipeline.discovered_titles.slice is
    'first day of the slice that lists the film (pipeline.list_slices); null if that is not known';
comment on column pipeline.discovered_titles.read_at is
    'when the listed values were last read, at most MOVIE_ASSETS_VOTES_DAYS days before the newest reading of the lists';

comment on table pipeline.title_discoveries is 'a reading of TMDB''s lists (/discover)';
comment on column pipeline.title_discoveries.media_type is 'media type of the lists: movie or series';
comment on column pipeline.title_discoveries.day is 'day (UTC) that the lists were read for';
comment on column pipeline.title_discoveries.min_votes is 'least number of votes that was asked for';
comment on column pipeline.title_discoveries.films is 'number of films that were listed';
comment on column pipeline.title_discoveries.walked_at is 'when the reading ended';
comment on column pipeline.title_discoveries.thresholds is 'the numbers of votes that profiles asked for, in ascending order';
comment on column pipeline.title_discoveries.run_id is
    'Dagster''s id of the run that did it; the web UI shows it under /runs/<id>';

comment on table pipeline.title_document_sources is 'what a film''s search document was made from';
comment on column pipeline.title_document_sources.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column pipeline.title_document_sources.source is
    'hash of the film''s texts and of the method; the document is made again when it differs';

comment on view pipeline.due is 'a film whose details are to be fetched, with the reason';
comment on column pipeline.due.tmdb_id is 'TMDB''s id of the film, as in https://www.themoviedb.org/movie/603';
comment on column pipeline.due.batch is 'batch that the film belongs to, 0 to 63: title_id % 64';
comment on column pipeline.due.reason is 'why: requested, six months, changed, never fetched, schema, failed or stale';
comment on column pipeline.due.priority is 'urgency of the reason; 1 is fetched first';

comment on table pipeline.embedding_batch_texts is 'a text in a bulk job at the embeddings service; no run sends it again';
comment on column pipeline.embedding_batch_texts.bulk_id is 'bulk job, a row of pipeline.embedding_batches';
comment on column pipeline.embedding_batch_texts.text_hash is 'hash of the text, as in catalog.titles';

comment on table pipeline.embedding_batches is 'a bulk job at the embeddings service, recorded before anything is sent';
comment on column pipeline.embedding_batches.bulk_id is 'number of the bulk job';
comment on column pipeline.embedding_batches.token is
    'random text in the job''s metadata, by which the job is found again after a crash';
comment on column pipeline.embedding_batches.set_id is 'embedding set, a row of pipeline.embedding_sets';
comment on column pipeline.embedding_batches.run_id is
    'Dagster''s id of the run that did it; the web UI shows it under /runs/<id>';
comment on column pipeline.embedding_batches.reservation_id is
    'reservation of its cost, a row of pipeline.embedding_reservations; null once the cost is recorded';
comment on column pipeline.embedding_batches.texts is 'number of texts in the job';
comment on column pipeline.embedding_batches.moment is
    'time as of which the run that sent it worked; the cost is booked on this day (UTC)';
comment on column pipeline.embedding_batches.input_file_id is 'the service''s id of the uploaded file; null before the upload';
comment on column pipeline.embedding_batches.service_id is 'the service''s id of the job; null before it is known';
comment on column pipeline.embedding_batches.service_status is
    'state that the service last reported, such as in_progress or completed; waiting if the job waits for room in the '
    'service''s queue; null before the first report';
comment on column pipeline.embedding_batches.seen_at is 'when the service last reported a state; null before the first report';
comment on column pipeline.embedding_batches.ended_at is 'when the job was collected or given up; null while it is open';
comment on column pipeline.embedding_batches.stored is 'number of vectors that it brought';
comment on column pipeline.embedding_batches.tokens is 'tokens of its texts, counted or estimated before it was sent';
comment on column pipeline.embedding_batches.done is 'number of its texts that the service had embedded when it last reported';
comment on column pipeline.embedding_batches.failed is
    'number of its texts that the service had refused or given up when it last reported';
comment on column pipeline.embedding_batches.problem is 'message of the service about the job; null without one';
comment on column pipeline.embedding_batches.files is
    'the service''s ids of the job''s files that are not deleted yet; runs delete them when the job has ended';
comment on column pipeline.embedding_batches.queue_limit is
    'how many tokens may wait at the service, if it refused the job because more would have waited; else null';

comment on table pipeline.embedding_costs is 'what one request of a run, or one bulk job, cost';
comment on column pipeline.embedding_costs.cost_id is 'number of the row';
comment on column pipeline.embedding_costs.set_id is
    'embedding set, a row of pipeline.embedding_sets; null for a comparison of models';
comment on column pipeline.embedding_costs.run_id is
    'Dagster''s id of the run that did it; the web UI shows it under /runs/<id>. A comparison of models has a name of its own';
comment on column pipeline.embedding_costs.texts is 'number of texts that were embedded';
comment on column pipeline.embedding_costs.tokens is 'tokens that the service charged';
comment on column pipeline.embedding_costs.dollars is 'cost in US dollars; 0 with the local embedder';
comment on column pipeline.embedding_costs.spent_at is 'when it was spent (the day of the run that sent it, for a bulk job)';
comment on column pipeline.embedding_costs.is_bulk is 'true for a bulk job, at half the price';
comment on column pipeline.embedding_costs.text_bytes is
    'size of the texts in UTF-8 bytes; 0 in rows from before they were counted';

comment on table pipeline.embedding_outcomes is
    'what the last run met that asked for vectors of an embedding set; movie-assets health judges the embedder by it';
comment on column pipeline.embedding_outcomes.set_id is 'embedding set, a row of pipeline.embedding_sets';
comment on column pipeline.embedding_outcomes.run_id is
    'Dagster''s id of the run that did it; the web UI shows it under /runs/<id>';
comment on column pipeline.embedding_outcomes.texts is 'number of texts that were due in the run';
comment on column pipeline.embedding_outcomes.embedded is 'number of texts that got their vector in the run';
comment on column pipeline.embedding_outcomes.refused is 'number of texts for which the service returned no vector';
comment on column pipeline.embedding_outcomes.in_flight is
    'number of its texts that were in bulk jobs at the service when the run ended';
comment on column pipeline.embedding_outcomes.problem is
    'message of the service or the budget that ended the run early, else of the last text that was refused; null if '
    'nothing went wrong';
comment on column pipeline.embedding_outcomes.ended_at is 'when the run ended';

comment on view pipeline.embedding_progress is 'how far an embedding set is, and what it cost';
comment on column pipeline.embedding_progress.set_id is 'embedding set, a row of pipeline.embedding_sets';
comment on column pipeline.embedding_progress.provider is 'provider of the vectors, such as local or openai';
comment on column pipeline.embedding_progress.model is 'name of the embedding model';
comment on column pipeline.embedding_progress.dimensions is 'number of values in each vector';
comment on column pipeline.embedding_progress.template is 'version of the text that is made of a film and embedded';
comment on column pipeline.embedding_progress.state is 'building, active, active and held (chosen by a person), or retired';
comment on column pipeline.embedding_progress.films is 'number of films in the catalogue';
comment on column pipeline.embedding_progress.films_embedded is 'number of films with a vector of their current text in this set';
comment on column pipeline.embedding_progress.tokens is 'tokens that were charged for the set so far';
comment on column pipeline.embedding_progress.dollars is 'cost of the set so far in US dollars';
comment on column pipeline.embedding_progress.created_at is 'when the set was first needed';
comment on column pipeline.embedding_progress.activated_at is 'when searches last began to use it; null if they never did';
comment on column pipeline.embedding_progress.retired_at is
    'when another set took its place; null while it is active or being built';

comment on table pipeline.embedding_reservations is
    'the highest cost of a request in flight; what a killed run reserved stays and counts for its day';
comment on column pipeline.embedding_reservations.reservation_id is 'number of the reservation';
comment on column pipeline.embedding_reservations.set_id is
    'embedding set, a row of pipeline.embedding_sets; null for a comparison of models';
comment on column pipeline.embedding_reservations.run_id is
    'Dagster''s id of the run that did it; the web UI shows it under /runs/<id>';
comment on column pipeline.embedding_reservations.tokens is 'most tokens that the request can be charged';
comment on column pipeline.embedding_reservations.dollars is 'most US dollars that the request can cost';
comment on column pipeline.embedding_reservations.reserved_at is 'when it was reserved';

comment on table pipeline.embedding_sets is 'provider, model, dimensions and template, which together make vectors comparable';
comment on column pipeline.embedding_sets.set_id is 'number of the set';
comment on column pipeline.embedding_sets.provider is 'provider of the vectors, such as local or openai';
comment on column pipeline.embedding_sets.model is 'name of the embedding model';
comment on column pipeline.embedding_sets.dimensions is 'number of values in each vector, 8 to 4000';
comment on column pipeline.embedding_sets.template is 'version of the text that is made of a film and embedded';
comment on column pipeline.embedding_sets.created_at is 'when the set was first needed';
comment on column pipeline.embedding_sets.is_active is 'true for the one set that searches use';
comment on column pipeline.embedding_sets.activated_at is 'when searches last began to use it; null if they never did';
comment on column pipeline.embedding_sets.retired_at is
    'when another set took its place, or it was given up before it was used; null otherwise';
comment on column pipeline.embedding_sets.held_since is
    'since when a person holds it as the active set, so that no other takes its place by itself; null if nobody '
    'does';
comment on column pipeline.embedding_sets.last_run_at is
    'when the last run of movie_embeddings for this set ended; null if none ended since this is recorded';
comment on column pipeline.embedding_sets.bytes_per_vector is
    'size of its index per vector in bytes when the index was last built; null before';

comment on view pipeline.embedding_spending is 'what embeddings cost on a day, by embedding set';
comment on column pipeline.embedding_spending.day is 'day (UTC) on which it was spent';
comment on column pipeline.embedding_spending.set_id is
    'embedding set, a row of pipeline.embedding_sets; null for comparisons of models';
comment on column pipeline.embedding_spending.provider is 'who made the vectors';
comment on column pipeline.embedding_spending.model is 'name of the embedding model';
comment on column pipeline.embedding_spending.dimensions is 'number of values in each vector';
comment on column pipeline.embedding_spending.texts is 'number of texts that were embedded';
comment on column pipeline.embedding_spending.tokens is 'tokens that were charged';
comment on column pipeline.embedding_spending.dollars is 'cost in US dollars';
comment on column pipeline.embedding_spending.of_which_in_bulk is 'share of the cost that bulk jobs had, in US dollars';
comment on column pipeline.embedding_spending.runs is 'number of runs that spent it';

comment on table pipeline.title_embeddings is
    'a film''s vector in an embedding set; kept when the film leaves, as it was paid for';
comment on column pipeline.title_embeddings.set_id is 'embedding set, a row of pipeline.embedding_sets';
comment on column pipeline.title_embeddings.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column pipeline.title_embeddings.batch is 'batch that the film belongs to, 0 to 63: title_id % 64';
comment on column pipeline.title_embeddings.text_hash is 'hash of the text that the vector was made from';
comment on column pipeline.title_embeddings.embedding is 'vector of length 1 in half precision';
comment on column pipeline.title_embeddings.embedded_at is 'when the vector was stored';
comment on column pipeline.title_embeddings.is_replaced is
    'whether the text was embedded again and movie_vectors has yet to replace the vector that searches see';
comment on column pipeline.title_embeddings.dimensions is 'number of values in the vector, counted by the database';
comment on column pipeline.title_embeddings.length is
    'Euclidean length of the vector, computed by the database; NaN if one of its values is';

comment on table pipeline.title_evaluation is 'the last evaluation of all stored responses and listed titles of a media type';
comment on column pipeline.title_evaluation.media_type is 'media type that was evaluated: movie or series';
comment on column pipeline.title_evaluation.only_row is 'true: there is one row for each media type';
comment on column pipeline.title_evaluation.rules is 'profiles that were used, as a hash of their values';
comment on column pipeline.title_evaluation.day is 'day that release dates were compared with; it never moves back';
comment on column pipeline.title_evaluation.evaluated_at is 'when it was done';

comment on table pipeline.exported_titles is
    'a line of TMDB''s daily id export: an id that exists; one partition for each media type and day';
comment on column pipeline.exported_titles.export_date is 'day (UTC) of the export';
comment on column pipeline.exported_titles.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column pipeline.exported_titles.original_title is 'title in the original language';
comment on column pipeline.exported_titles.popularity is 'TMDB''s popularity measure on that day; its scale moves over the years';
comment on column pipeline.exported_titles.adult is 'true for pornography, which never enters the catalogue';
comment on column pipeline.exported_titles.video is 'true for what TMDB marks as a recording that is not a film';
comment on column pipeline.exported_titles.softcore is 'true for what TMDB marks as softcore, which never enters the catalogue';

comment on table pipeline.title_exports is 'an export that was loaded';
comment on column pipeline.title_exports.media_type is 'media type of its lines: movie or series';
comment on column pipeline.title_exports.export_date is 'day (UTC) of the export';
comment on column pipeline.title_exports.source is 'where it was from: tmdb, or a name of the TMDB emulator''s world';
comment on column pipeline.title_exports.url is 'address that it was downloaded from';
comment on column pipeline.title_exports.lines is 'number of lines that were stored';
comment on column pipeline.title_exports.rejected_lines is 'number of lines that could not be read';
comment on column pipeline.title_exports.duplicate_lines is 'number of lines whose id another line had too';
comment on column pipeline.title_exports.median_popularity is 'median of the popularity of all lines; null if there were none';
comment on column pipeline.title_exports.kept is
    'number of ids that passed the rules for exports; null until movie_ids has applied it';
comment on column pipeline.title_exports.min_popularity is 'lowest popularity that passed; null until movie_ids has applied it';
comment on column pipeline.title_exports.asked_for is
    'the day that the last load of this export was asked for; later than export_date when TMDB had no newer export';
comment on column pipeline.title_exports.unidentified_lines is
    'rejected lines that do not show their id; while there are any, no id is deleted for missing';
comment on column pipeline.title_exports.unreadable_ids is 'ids of the other rejected lines; they count as listed';
comment on column pipeline.title_exports.is_accepted is
    'a person accepted this export as it is: what it lacks is deleted at once';
comment on column pipeline.title_exports.ids_known is 'living ids when this export was applied';
comment on column pipeline.title_exports.ids_missing is 'of those, how many this export was the first to lack';
comment on column pipeline.title_exports.days_since is 'days since the export that was applied before';
comment on column pipeline.title_exports.is_usual is
    'whether as many ids were missing as in the last loads; of an unusual export, the missing ids are held';
comment on column pipeline.title_exports.newer_is_unusable is
    'why the export of the day that was asked for could not be used; null where this is that export';
comment on column pipeline.title_exports.ids_confirmed is
    'number of its missing ids that were held, and that an export of a later day did not list either';
comment on column pipeline.title_exports.loaded_at is 'when it was loaded';
comment on column pipeline.title_exports.run_id is 'Dagster''s id of the run that did it; the web UI shows it under /runs/<id>';
comment on column pipeline.title_exports.kept_by is
    'rules by which kept was counted; only loads under the same rules are compared; null until movie_ids has '
    'applied it';

comment on table pipeline.title_weights is
    'what liking a title says for and against others of its media type, by one model; they need not be in the catalogue';
comment on column pipeline.title_weights.model_id is 'model that learned it, a row of pipeline.recommendation_models';
comment on column pipeline.title_weights.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column pipeline.title_weights.popularity is
    'how many people like the film, 0 to 1: log(1 + people), divided by that of the most liked film';
comment on column pipeline.title_weights.others is 'TMDB''s ids of up to 200 films with the largest weights';
comment on column pipeline.title_weights.weights is
    'weight of each film in others, in the same order; positive speaks for it, negative against it';
comment on column pipeline.title_weights.directions is
    'vector of length 1; films with similar ones are liked by the same people or have much in common';

comment on table pipeline.first_day is 'the day that the catalogue begins on; a single row, none before a day was read';
comment on column pipeline.first_day.only_row is 'always true, which keeps the table at one row';
comment on column pipeline.first_day.day is 'earliest day (UTC) that was read and whose records are kept';

comment on view pipeline.funnel is
    'a rule of the profiles, with how many ids it dropped and how many were left, in the order of the rules';
comment on column pipeline.funnel.step is 'position of the rule; 0 is the whole export, 1000 the end';
comment on column pipeline.funnel.rule is 'name of the rule, as in the reason of a rejected id; null for the first and last row';
comment on column pipeline.funnel.says is 'what the rule asks for';
comment on column pipeline.funnel.dropped is 'number of ids that the rule rejected';
comment on column pipeline.funnel.kept is 'number of ids that are left after this and all rules before it';
comment on column pipeline.funnel.target is
    'number of films that the profiles aim at, in the last row; null elsewhere and if there is no target';

comment on table pipeline.golden_pairs is 'two films that a good embedding puts near each other; add pairs of your own';
comment on column pipeline.golden_pairs.title is 'title of one film';
comment on column pipeline.golden_pairs.release_year is 'release year of that film';
comment on column pipeline.golden_pairs.other_title is 'title of the other film';
comment on column pipeline.golden_pairs.other_year is 'release year of the other film';
comment on column pipeline.golden_pairs.within is 'the other film must be among this many nearest films';

comment on table pipeline.heartbeats is 'when a process that cannot report its own death was last alive';
comment on column pipeline.heartbeats.name is 'name of the process, such as alerts';
comment on column pipeline.heartbeats.beat_at is 'when it last reported that it is alive';

comment on table pipeline.title_id_history is 'a change of an id''s state or reason; kept for 400 days';
comment on column pipeline.title_id_history.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column pipeline.title_id_history.changed_at is 'when it changed';
comment on column pipeline.title_id_history.state_before is 'state before the change';
comment on column pipeline.title_id_history.reason_before is 'reason of the state before the change; null if it had none';
comment on column pipeline.title_id_history.state is 'state after the change';
comment on column pipeline.title_id_history.reason is 'reason of the state after the change; null if it has none';

comment on view pipeline.id_states is 'how many ids are in a state, for one reason';
comment on column pipeline.id_states.state is 'candidate, accepted, rejected, failed or gone';
comment on column pipeline.id_states.reason is 'reason of the state, such as the rule that rejected the id; null if it has none';
comment on column pipeline.id_states.ids is 'number of ids';

comment on table pipeline.title_ids_as_of is 'the export and the rules that the states of all ids of a media type are based on';
comment on column pipeline.title_ids_as_of.media_type is 'media type of the ids: movie or series';
comment on column pipeline.title_ids_as_of.only_row is 'true: there is one row for each media type';
comment on column pipeline.title_ids_as_of.export_date is 'day (UTC) of the export that was applied last';
comment on column pipeline.title_ids_as_of.min_popularity is 'lowest popularity that passed';
comment on column pipeline.title_ids_as_of.rules is 'rules in use, in order: a list of {"rule": name, "says": what it asks for}';
comment on column pipeline.title_ids_as_of.target is 'number of films that the profiles aim at; null if there is no target';

comment on column pipeline.ids_without_line.media_type is 'media type of the title: movie or series';
comment on column pipeline.ids_without_line.title_id is 'key of the title';
comment on column pipeline.ids_without_line.tmdb_id is 'TMDB''s id of the title among those of its media type';
comment on column pipeline.ids_without_line.original_title is 'title in the original language, as the last export had it';
comment on column pipeline.ids_without_line.state is 'state of the id, such as accepted or rejected';
comment on column pipeline.ids_without_line.missing_since is
    'day (UTC) of the first export that did not list the id; null if the export has a line for it that cannot be read';

comment on table pipeline.imports is 'an import of watch histories';
comment on column pipeline.imports.import_id is 'number of the import';
comment on column pipeline.imports.imported_at is 'when it was imported';
comment on column pipeline.imports.person is 'whose history it was; null if the files name several people (MovieLens)';
comment on column pipeline.imports.source is 'kind of files: letterboxd, imdb, movielens or list';
comment on column pipeline.imports.files is 'names of the files';
comment on column pipeline.imports.digest is 'SHA-256 of the files'' content; the same content is not imported twice';
comment on column pipeline.imports.counts is 'numbers of rows by what became of them';
comment on column pipeline.imports.rejects is 'the first 100 rejected rows: file, line, reason and a sample';

comment on view pipeline.kpis is 'a figure that tells how well the catalogue is doing, beside its goal';
comment on column pipeline.kpis.kpi is 'name of the figure';
comment on column pipeline.kpis.value is 'the figure now; null if there is nothing to count yet';
comment on column pipeline.kpis.goal is 'limit that the figure should keep; null if it has none';
comment on column pipeline.kpis.is_met is 'true if the figure keeps its goal; null if either is missing';
comment on column pipeline.kpis.says is 'what the figure counts, with its unit';

comment on table pipeline.title_list_slices is
    'a slice of TMDB''s lists (/discover): the films released in a range of days; read whole at least every '
    'MOVIE_ASSETS_VOTES_DAYS days, and whenever its first page does not explain its number of films';
comment on column pipeline.title_list_slices.media_type is 'media type of the list: movie or series';
comment on column pipeline.title_list_slices.since is 'first release date of the slice';
comment on column pipeline.title_list_slices.until is 'last release date of the slice';
comment on column pipeline.title_list_slices.unshown is
    'by how many the number of films that TMDB reported exceeded the films on its pages when they were last read';
comment on column pipeline.title_list_slices.walked_at is 'when the slice was last read whole';

comment on table pipeline.match_reviews is
    'a film in an import that may be one of several: set decision to a TMDB id, or status to ''decided'' if it is '
    'none of them';
comment on column pipeline.match_reviews.review_id is 'number of the review; that of its row in pipeline.named_films';
comment on column pipeline.match_reviews.name is 'the film as the import names it';
comment on column pipeline.match_reviews.candidates is
    'films that it may be, the likeliest first: tmdb_id, title, release_year, confidence, matched_by';
comment on column pipeline.match_reviews.status is 'open, or decided';
comment on column pipeline.match_reviews.decision is
    'TMDB''s id of the film that it is; null while open, or if it is none of the candidates';
comment on column pipeline.match_reviews.opened_at is 'when the review was opened';
comment on column pipeline.match_reviews.decided_at is 'when it was decided; null while it is open';

comment on table pipeline.title_ids is 'an id that TMDB has or had, with its state and the reason of it';
comment on column pipeline.title_ids.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column pipeline.title_ids.batch is 'batch that the film belongs to, 0 to 63: title_id % 64';
comment on column pipeline.title_ids.original_title is 'title in the original language, as the export has it';
comment on column pipeline.title_ids.first_seen is 'day of the first export that listed it';
comment on column pipeline.title_ids.gone_since is
    'day from which the export does not list it, or TMDB answers that it is gone; null while it exists';
comment on column pipeline.title_ids.gone_reason is
    'how it went: left_export (the export no longer lists it) or not_found (TMDB answers 404); null while it '
    'exists';
comment on column pipeline.title_ids.export_reason is 'rule for exports or lists that rejects it; null if none does';
comment on column pipeline.title_ids.detail_reason is
    'rule for details that rejects it; null if none does, or if it was not fetched yet';
comment on column pipeline.title_ids.failed_rules is
    'first rule that it fails, for each profile that it fails: {"quality": "vote_count"}; null if it fails none, or if no '
    'list names it and its details were never fetched';
comment on column pipeline.title_ids.fetched_at is 'when its details were last fetched; null if they never were';
comment on column pipeline.title_ids.release_date is 'date of the first release, from its details; null if unknown';
comment on column pipeline.title_ids.changed_at is 'when TMDB named a change that was not fetched yet; null if there is none';
comment on column pipeline.title_ids.unlisted_at is
    'when TMDB''s lists stopped naming the accepted film, whose details are due for that; null if they name it';
comment on column pipeline.title_ids.missing_since is
    'day (UTC) of the first export that did not list the id, which is held until the export of a later day does not list '
    'it either; null if the id is listed, or gone already';
comment on column pipeline.title_ids.attempts is 'failed fetches in a row; 0 after a success';
comment on column pipeline.title_ids.next_attempt_at is
    'after a failure, the time before which it is not fetched again; null otherwise';
comment on column pipeline.title_ids.last_error is 'reason of the last failed fetch; null after a success';
comment on column pipeline.title_ids.judged_by is
    'versions of parser, text template and rules that last evaluated it; null if it was not evaluated yet';
comment on column pipeline.title_ids.state is 'candidate (to be fetched), accepted (in the catalogue), rejected, failed or gone';
comment on column pipeline.title_ids.reason is 'why it is rejected, failed or gone; null for candidates and accepted films';
comment on column pipeline.title_ids.answer_version is
    'which parts of TMDB''s response were asked for when it was last fetched; null if it never was';
comment on column pipeline.title_ids.kept_on_request is 'true if an application asked to keep it whatever the profiles say';
comment on column pipeline.title_ids.successor_id is
    'TMDB''s id of the film that it was merged into; null if it was not, or none is known';
comment on column pipeline.title_ids.successor_sought_at is 'when a successor was last looked for; null if it never was';

comment on table pipeline.named_films is 'a film as an import names it, and the film in the catalogue that it is';
comment on column pipeline.named_films.name_id is 'number of the name';
comment on column pipeline.named_films.name is 'identifying text: tmdb:603, imdb:tt0133093 or The Matrix (1999)';
comment on column pipeline.named_films.title is 'title in the file; empty if the file has ids only';
comment on column pipeline.named_films.year is 'release year in the file; null if there is none';
comment on column pipeline.named_films.imdb_id is 'IMDb''s id in the file; null if there is none';
comment on column pipeline.named_films.tmdb_id is 'TMDB''s id in the file; null if there is none';
comment on column pipeline.named_films.rivals is
    'number of films of one source with this title and year; the confidence of a match is divided by it';
comment on column pipeline.named_films.film_id is 'TMDB''s id of the film that it is; null while that is unknown';
comment on column pipeline.named_films.matched_by is
    'how the film was found: tmdb id, imdb id, decision (by a person), or a kind of title; null while it is '
    'unknown';
comment on column pipeline.named_films.confidence is
    'how certain the match is, 0 to 1; null while it is unknown or if a person decided';
comment on column pipeline.named_films.is_searched is
    'true once it was looked for by title; from then on only films with the same title are considered';

comment on table pipeline.pace is 'when the next call to a rate-limited service may be made, shared by all processes';
comment on column pipeline.pace.service is 'name of the service, such as tmdb';
comment on column pipeline.pace.next_at is 'earliest time of the next call';

comment on table pipeline.title_profiles is 'a filter profile in use; a title has to pass one of its media type';
comment on column pipeline.title_profiles.media_type is 'media type of the titles that it is for: movie or series';
comment on column pipeline.title_profiles.name is
    'name of the profile, as in MOVIE_ASSETS_PROFILES or MOVIE_ASSETS_SERIES_PROFILES';
comment on column pipeline.title_profiles.min_popularity is
    'lowest popularity in the daily export with which details are fetched';
comment on column pipeline.title_profiles.popularity_rank is
    'number of the most popular ids of the export whose details are fetched; null if there is no limit';
comment on column pipeline.title_profiles.min_vote_count is 'lowest number of votes at TMDB';
comment on column pipeline.title_profiles.min_vote_average is 'lowest average of TMDB''s votes, 0 to 10';
comment on column pipeline.title_profiles.released_since is 'earliest release date; null if any is accepted';
comment on column pipeline.title_profiles.released_within_days is
    'greatest age in days; younger films are released already; null if any age is accepted';
comment on column pipeline.title_profiles.min_runtime is 'shortest runtime in minutes; 0 if any is accepted, also an unknown one';
comment on column pipeline.title_profiles.max_runtime is 'longest runtime in minutes; null if any is accepted';
comment on column pipeline.title_profiles.languages is 'accepted original languages, ISO 639-1; empty if any is accepted';
comment on column pipeline.title_profiles.types is 'accepted types of series, such as Miniseries; empty if any is accepted';
comment on column pipeline.title_profiles.statuses is 'accepted statuses of series, such as Ended; empty if any is accepted';
comment on column pipeline.title_profiles.target is 'number of films that the profile is meant to reach; null if there is none';

comment on table pipeline.rating_loads is 'a file of ratings that was read';
comment on column pipeline.rating_loads.load_id is 'number of the load';
comment on column pipeline.rating_loads.loader is 'kind of file: imdb, movielens or csv';
comment on column pipeline.rating_loads.address is 'address or path of the file, without user, password and query';
comment on column pipeline.rating_loads.version is
    'version of the file''s content that the server or file system tells (ETag, time, size); null if it tells '
    'none';
comment on column pipeline.rating_loads.film_ids is
    'hash of the ids that ratings were matched with; if they change, the file is read again';
comment on column pipeline.rating_loads.lines is 'number of lines in the file';
comment on column pipeline.rating_loads.rejected is 'number of lines that could not be read';
comment on column pipeline.rating_loads.unmatched is
    'number of lines about films that are not in the catalogue or have no TMDB id';
comment on column pipeline.rating_loads.stored is 'number of ratings in the catalogue after the load';
comment on column pipeline.rating_loads.changed is 'number of ratings that are new, different or gone';
comment on column pipeline.rating_loads.loaded_at is 'when the file was read';
comment on column pipeline.rating_loads.run_id is 'Dagster''s id of the run that did it; the web UI shows it under /runs/<id>';

comment on table pipeline.title_details is 'TMDB''s whole response for a film, from which all facts are made';
comment on column pipeline.title_details.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column pipeline.title_details.body is 'the response as JSON, without characters that Postgres cannot store';
comment on column pipeline.title_details.fetched_at is 'when it was fetched';

comment on table pipeline.recommendation_lists is 'when a person''s list of recommendations of a media type was made, and by which model';
comment on column pipeline.recommendation_lists.person is 'a person of catalog.watched_titles';
comment on column pipeline.recommendation_lists.media_type is 'media type of the titles in the list: movie or series';
comment on column pipeline.recommendation_lists.model_id is 'model in use when the list was made; null if there was none';
comment on column pipeline.recommendation_lists.films is 'number of films in the list, 0 to 30';
comment on column pipeline.recommendation_lists.made_at is 'when the list was made';

comment on table pipeline.recommendation_models is
    'a model that was learned from watch histories; the weights of the one in use are in pipeline.title_weights';
comment on column pipeline.recommendation_models.model_id is 'number of the model';
comment on column pipeline.recommendation_models.media_type is 'media type of the titles that it knows: movie or series';
comment on column pipeline.recommendation_models.kind is 'method: ease or als';
comment on column pipeline.recommendation_models.method_version is 'version of the method';
comment on column pipeline.recommendation_models.inputs is 'hash of the histories that it was learned from';
comment on column pipeline.recommendation_models.parameters is 'parameters of the method, by name';
comment on column pipeline.recommendation_models.persons is 'number of people in the histories';
comment on column pipeline.recommendation_models.films is 'number of films in the histories';
comment on column pipeline.recommendation_models.likes is 'number of films that people like, added up over people';
comment on column pipeline.recommendation_models.entries is 'number of rows of its media type in catalog.watched_titles when it was learned';
comment on column pipeline.recommendation_models.newest_entry is
    'newest imported_at of its media type in catalog.watched_titles when it was learned';
comment on column pipeline.recommendation_models.seconds is 'duration of learning in seconds';
comment on column pipeline.recommendation_models.fitted_at is 'when it was learned';
comment on column pipeline.recommendation_models.is_served is 'true for the one model of its media type that recommendations use';

comment on table pipeline.recommendation_quality is 'how well a model predicts what people liked next, measured on histories';
comment on column pipeline.recommendation_quality.model_id is 'the learned model that was measured or compared with';
comment on column pipeline.recommendation_quality.protocol is
    'what was held back from each history and predicted: last 20 %, or last one';
comment on column pipeline.recommendation_quality.model is
    'what was measured: the model in use, popularity, or another one for comparison';
comment on column pipeline.recommendation_quality.measured_at is 'when it was measured';
comment on column pipeline.recommendation_quality.persons is 'number of people whose films were predicted';
comment on column pipeline.recommendation_quality.recall_at_10 is
    'share of the films held back that are among the first ten, 0 to 1';
comment on column pipeline.recommendation_quality.recall_low is 'lower end of the 95 % interval of recall_at_10 over people';
comment on column pipeline.recommendation_quality.recall_high is 'upper end of the 95 % interval of recall_at_10 over people';
comment on column pipeline.recommendation_quality.ndcg_at_10 is
    'NDCG of the first ten, 0 to 1; films held back count more the higher they are placed';
comment on column pipeline.recommendation_quality.ndcg_low is 'lower end of the 95 % interval of ndcg_at_10 over people';
comment on column pipeline.recommendation_quality.ndcg_high is 'upper end of the 95 % interval of ndcg_at_10 over people';
comment on column pipeline.recommendation_quality.over_popularity is
    'ndcg_at_10 minus that of ranking by popularity, for the same people; positive is better than popularity';
comment on column pipeline.recommendation_quality.over_popularity_low is 'lower end of the 95 % interval of over_popularity';
comment on column pipeline.recommendation_quality.over_popularity_high is 'upper end of the 95 % interval of over_popularity';
comment on column pipeline.recommendation_quality.coverage is 'share of all films that are in somebody''s first ten, 0 to 1';
comment on column pipeline.recommendation_quality.diversity is 'how different the first ten are from one another, 0 (alike) to 1';
comment on column pipeline.recommendation_quality.diversity_low is 'lower end of the 95 % interval of diversity over people';
comment on column pipeline.recommendation_quality.diversity_high is 'upper end of the 95 % interval of diversity over people';
comment on column pipeline.recommendation_quality.seconds is 'duration of the measurement in seconds';

comment on table pipeline.reconciliations is 'a comparison of two tables that should agree';
comment on column pipeline.reconciliations.reconciled_at is 'when they were compared';
comment on column pipeline.reconciliations.agreement is 'what should agree, in words';
comment on column pipeline.reconciliations.rows_compared is 'number of rows that were compared';
comment on column pipeline.reconciliations.rows_differing is 'number of rows that differ; 0 if the tables agree';
comment on column pipeline.reconciliations.examples is 'up to five keys of rows that differ';
comment on column pipeline.reconciliations.repaired is
    'number of rows that were marked to be made again by the next run of their asset';
comment on column pipeline.reconciliations.run_id is 'Dagster''s id of the run that did it; the web UI shows it under /runs/<id>';

comment on table pipeline.refused_texts is 'a text for which the embeddings service returned no vector';
comment on column pipeline.refused_texts.set_id is 'embedding set, a row of pipeline.embedding_sets';
comment on column pipeline.refused_texts.text_hash is 'hash of the text, as in catalog.titles';
comment on column pipeline.refused_texts.reason is 'why there was no vector';
comment on column pipeline.refused_texts.attempts is 'failed attempts in a row';
comment on column pipeline.refused_texts.next_attempt_at is 'earliest time of the next attempt';

comment on table pipeline.rejects is 'input that was rejected, with the reason and a sample; kept for 180 days';
comment on column pipeline.rejects.reject_id is 'number of the row';
comment on column pipeline.rejects.stage is 'asset that rejected it';
comment on column pipeline.rejects.tmdb_id is 'TMDB''s id of the film; null if the input names none';
comment on column pipeline.rejects.reason is 'why it was rejected';
comment on column pipeline.rejects.sample is 'the first 500 characters of the input';
comment on column pipeline.rejects.run_id is 'Dagster''s id of the run that did it; the web UI shows it under /runs/<id>';
comment on column pipeline.rejects.rejected_at is 'when it was rejected';

comment on table pipeline.requested_titles is
    'an id that an application asked for, and what became of it; insert ids here to have them fetched. An id whose stored '
    'details are young is answered from them, without a call to TMDB';
comment on column pipeline.requested_titles.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column pipeline.requested_titles.keep is
    'true if the film belongs in the catalogue whatever its votes, age, runtime or language; adult titles and '
    'videos never do';
comment on column pipeline.requested_titles.requested_by is
    'who asked for it, as the application calls itself; null if it did not say';
comment on column pipeline.requested_titles.requested_at is 'when it was last asked for; update it to ask again';
comment on column pipeline.requested_titles.role is
    'the database role that asked; null for the pipeline''s own requests';
comment on column pipeline.requested_titles.is_urgent is
    'true: fetched before other films; false for those beyond the first 1,000 of a role in a day, which are fetched last';
comment on column pipeline.requested_titles.served_at is 'when it was answered; null while it is open';
comment on column pipeline.requested_titles.outcome is
    'state and reason of the id when it was answered, such as accepted or rejected: runtime; null while it is '
    'open';

comment on table pipeline.title_rule_inputs is
    'what the profiles ask of a film whose details are stored, as its details or TMDB''s lists last said';
comment on column pipeline.title_rule_inputs.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column pipeline.title_rule_inputs.adult is 'true if TMDB marks it as an adult title';
comment on column pipeline.title_rule_inputs.video is 'true if TMDB marks it as a recording that is no film';
comment on column pipeline.title_rule_inputs.softcore is 'true if TMDB marks it as softcore';
comment on column pipeline.title_rule_inputs.vote_count is 'number of votes at TMDB';
comment on column pipeline.title_rule_inputs.vote_average is 'average of TMDB''s votes, 0 to 10; 0 without votes';
comment on column pipeline.title_rule_inputs.release_date is 'date of the first release; null if unknown';
comment on column pipeline.title_rule_inputs.runtime_minutes is 'runtime in minutes; null if unknown';
comment on column pipeline.title_rule_inputs.original_language is 'original language, ISO 639-1; null if unknown';
comment on column pipeline.title_rule_inputs.series_type is 'type of a series, such as Scripted; null for movies and if unknown';
comment on column pipeline.title_rule_inputs.series_status is 'status of a series, such as Ended; null for movies and if unknown';
comment on column pipeline.title_rule_inputs.seen_at is 'when votes, date and language were last read, in details or a list';

comment on table pipeline.run_log is
    'what a step (an asset) did in a run; counted up with each chunk, in the chunk''s own transaction';
comment on column pipeline.run_log.log_id is 'number of the row';
comment on column pipeline.run_log.run_id is 'Dagster''s id of the run that did it; the web UI shows it under /runs/<id>';
comment on column pipeline.run_log.job is 'name of the job, or materialize for a choice of assets in the web UI';
comment on column pipeline.run_log.step is 'name of the asset';
comment on column pipeline.run_log.trigger is 'who launched the run: schedule, sensor, person (in the web UI) or command line';
comment on column pipeline.run_log.triggered_by is 'name of the schedule, sensor or command; null for a person';
comment on column pipeline.run_log.moment is 'time as of which the run works; on simulated days it differs from started_at';
comment on column pipeline.run_log.started_at is 'when the step began';
comment on column pipeline.run_log.worked_at is 'when it last committed a chunk; null before the first';
comment on column pipeline.run_log.ended_at is 'when the step ended; null while it is running';
comment on column pipeline.run_log.status is
    'running, succeeded, failed, stopped (cancelled by a person or a signal) or killed (its process vanished)';
comment on column pipeline.run_log.reason is 'why it failed or was stopped; null otherwise';
comment on column pipeline.run_log.checked is 'number of films, ids or lines that were looked at';
comment on column pipeline.run_log.skipped is 'number of those that needed nothing, were deferred or could not be used';
comment on column pipeline.run_log.fetched is 'number of responses or lines from TMDB that were stored';
comment on column pipeline.run_log.changed is 'number of rows that are new or different';
comment on column pipeline.run_log.failed is 'number of films or texts without a usable response';
comment on column pipeline.run_log.gone is 'number of ids that TMDB no longer has, or rows that left';
comment on column pipeline.run_log.embedded is 'number of texts that got a vector';
comment on column pipeline.run_log.tokens is 'tokens that the embeddings service charged';
comment on column pipeline.run_log.dollars is 'cost of embeddings in US dollars';
comment on column pipeline.run_log.duration is 'duration in seconds; null while it is running';

comment on view pipeline.runs is
    'a run with what its steps did, added up; steps count different things, which pipeline.run_log keeps apart';
comment on column pipeline.runs.run_id is 'Dagster''s id of the run that did it; the web UI shows it under /runs/<id>';
comment on column pipeline.runs.job is 'name of the job, or materialize for a choice of assets in the web UI';
comment on column pipeline.runs.trigger is 'who launched the run: schedule, sensor, person (in the web UI) or command line';
comment on column pipeline.runs.triggered_by is 'name of the schedule, sensor or command; null for a person';
comment on column pipeline.runs.moment is 'time as of which the run works; on simulated days it differs from started_at';
comment on column pipeline.runs.started_at is 'when the first step began';
comment on column pipeline.runs.ended_at is 'when the last step ended; null while one is running';
comment on column pipeline.runs.status is
    'running, killed, stopped, failed or succeeded: the first of these that one of its steps has';
comment on column pipeline.runs.reason is 'reasons of the steps that failed, one a line; null if there are none';
comment on column pipeline.runs.steps is 'number of steps';
comment on column pipeline.runs.checked is 'number of films, ids and lines that were looked at';
comment on column pipeline.runs.skipped is 'number of those that needed nothing, were deferred or could not be used';
comment on column pipeline.runs.fetched is 'number of responses or lines from TMDB that were stored';
comment on column pipeline.runs.changed is 'number of rows that are new or different';
comment on column pipeline.runs.failed is 'number of films or texts without a usable response';
comment on column pipeline.runs.gone is 'number of ids that TMDB no longer has, and rows that left';
comment on column pipeline.runs.embedded is 'number of texts that got a vector';
comment on column pipeline.runs.tokens is 'tokens that the embeddings service charged';
comment on column pipeline.runs.dollars is 'cost of embeddings in US dollars';
comment on column pipeline.runs.duration is 'seconds of work, added up over the steps';
comment on column pipeline.runs.calls is 'number of calls to TMDB';

comment on table pipeline.search_quality is 'a measurement of how well an embedding set is searched';
comment on column pipeline.search_quality.measurement_id is 'number of the measurement';
comment on column pipeline.search_quality.set_id is 'embedding set, a row of pipeline.embedding_sets';
comment on column pipeline.search_quality.measured_at is 'when it was measured';
comment on column pipeline.search_quality.content is
    'hash of what was measured: vectors, filters, index, collections and golden pairs';
comment on column pipeline.search_quality.vectors is 'number of vectors in the set';
comment on column pipeline.search_quality.recall_at_10 is 'share of the ten nearest vectors that the index finds, 0 to 1';
comment on column pipeline.search_quality.least_filtered_recall_at_10 is
    'the same for the filter with the lowest share; null if no filter was measured';
comment on column pipeline.search_quality.p50_ms is 'median duration of a search in milliseconds';
comment on column pipeline.search_quality.p95_ms is '95th percentile of the duration of a search in milliseconds';
comment on column pipeline.search_quality.exact_ms is 'median duration of comparing all vectors, in milliseconds';
comment on column pipeline.search_quality.collection_films is
    'number of films in collections that were searched for their siblings';
comment on column pipeline.search_quality.collection_recall_at_10 is
    'share of the films of the same collection among the ten nearest, 0 to 1; null without collections';
comment on column pipeline.search_quality.golden_pairs is 'number of golden pairs of which both films are in the set';
comment on column pipeline.search_quality.golden_pairs_far is
    'number of golden pairs whose films are farther apart than they may be';
comment on column pipeline.search_quality.random_similarity is
    'similarities of pairs at random: the quantiles at 1, 5, 25, 50, 75, 95, 99 and 99.9 %; null if there are '
    'too few films';
comment on column pipeline.search_quality.nearest_similarity is
    'similarities of films to their nearest film: the same quantiles; null if there are too few films';
comment on column pipeline.search_quality.tenth_similarity is
    'similarities of films to their tenth nearest film: the same quantiles; null if there are too few films';
comment on column pipeline.search_quality.loose is
    '99 of 100 pairs of films at random are less similar than this; null if there are too few films';
comment on column pipeline.search_quality.related is
    'half of the films have ten others that are at least this similar; null if there are too few films';
comment on column pipeline.search_quality.very_similar is
    'a quarter of the films have another one that is at least this similar; null if there are too few films';
comment on column pipeline.search_quality.searches is
    'for each filter that was measured: number of searches, recall at 10 and milliseconds, with and without the '
    'index';
comment on column pipeline.search_quality.places is
    'for each golden pair: both titles, the place at which the other film was found, and the place that is '
    'allowed';
comment on column pipeline.search_quality.map is
    'a chart that earlier versions stored; not written any more';
comment on column pipeline.search_quality.histogram is
    'a chart that earlier versions stored; not written any more';

comment on table pipeline.similar_title_lists is 'what a film''s list of similar films was made from';
comment on column pipeline.similar_title_lists.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column pipeline.similar_title_lists.set_id is 'embedding set, a row of pipeline.embedding_sets';
comment on column pipeline.similar_title_lists.text_hash is 'hash of the text of the film''s vector when the list was made';
comment on column pipeline.similar_title_lists.is_outdated is 'true if a film that changed or left makes a new list necessary';

comment on table pipeline.triggers is 'what a schedule or sensor last decided';
comment on column pipeline.triggers.name is 'name of the schedule or sensor';
comment on column pipeline.triggers.job is 'job that it launches';
comment on column pipeline.triggers.work is 'amount of work at the last launch, such as films or texts; 0 if nothing is left';
comment on column pipeline.triggers.tries is 'launches in a row that left the same work';
comment on column pipeline.triggers.launched_at is 'when it last launched a run; null if it never did';
comment on column pipeline.triggers.given_up_at is
    'since when it launches nothing, as runs did not reduce the work; null otherwise';
comment on column pipeline.triggers.says is 'reason of the last decision';
comment on column pipeline.triggers.decided_at is 'when it last decided differently from before';

comment on table pipeline.units is
    'a transaction that was committed within the last day, so that none is repeated if only the confirmation was '
    'lost';
comment on column pipeline.units.unit is 'random id of the transaction';
comment on column pipeline.units.begun_at is 'when the transaction began';

comment on table pipeline.unknown_keys is 'a key in TMDB''s responses that the pipeline does not read yet';
comment on column pipeline.unknown_keys.key is 'name of the key, at the top level of the response';
comment on column pipeline.unknown_keys.first_seen is 'when it was first received';
comment on column pipeline.unknown_keys.last_seen is 'when it was last received';
comment on column pipeline.unknown_keys.answers is 'number of responses that had it';

comment on table pipeline.watch_entries is
    'what a person''s newest file of a kind says about a film; catalog.watched_titles is made from it';
comment on column pipeline.watch_entries.person is 'whose file it is, for example me, or movielens:1';
comment on column pipeline.watch_entries.source is 'kind of export: letterboxd, imdb, movielens or list';
comment on column pipeline.watch_entries.part is 'which file: watched, diary, ratings, watchlist, or list: and its name';
comment on column pipeline.watch_entries.name_id is 'the film as the file names it, a row of pipeline.named_films';
comment on column pipeline.watch_entries.is_wanted is 'true if the file says that the person wants to see it';
comment on column pipeline.watch_entries.rating is 'rating from 0 to 100, converted from the source''s scale; null if not rated';
comment on column pipeline.watch_entries.seen_at is 'when the person last saw it; null if the file does not tell';

comment on table pipeline.word_changes is
    'by how many films a word became more or less frequent, until the vocabulary is updated';
comment on column pipeline.word_changes.word is 'the word, normalised like titles';
comment on column pipeline.word_changes.films is 'number of titles by which it became more frequent; negative if less';
comment on column pipeline.word_changes.media_type is 'media type of these titles: movie or series';

comment on table pipeline.request_quotas is 'how many ids a role of an application has asked for today';
comment on column pipeline.request_quotas.role is 'the database role that asked';
comment on column pipeline.request_quotas.day is 'day (UTC) of the requests';
comment on column pipeline.request_quotas.requests is 'number of ids asked for; 10,000 at most';

comment on table pipeline.series_entries is
    'what a person''s newest file of a kind says about a series, a season or an episode';
comment on column pipeline.series_entries.person is 'whose file it is, for example me';
comment on column pipeline.series_entries.source is 'kind of export: imdb, trakt or simkl';
comment on column pipeline.series_entries.part is 'which file: ratings, watched, diary, watchlist, or list: and its name';
comment on column pipeline.series_entries.key is
    'kind, id (or title and year), season and episode; tells the rows of a file apart';
comment on column pipeline.series_entries.kind is 'what the row is about: series, season or episode';
comment on column pipeline.series_entries.title is 'title as the file has it; empty if the file has only an id';
comment on column pipeline.series_entries.year is 'year of the first episode as the file has it; null if it has none';
comment on column pipeline.series_entries.imdb_id is
    'IMDb''s id of the series, in IMDb''s own files that of the row''s series or episode; null if the file has none';
comment on column pipeline.series_entries.tmdb_id is
    'TMDB''s id of the series, which is not a movie''s; null if the file has none';
comment on column pipeline.series_entries.tvdb_id is 'TheTVDB''s id of the series; null if the file has none';
comment on column pipeline.series_entries.tmdb_episode_id is 'TMDB''s id of the episode; null if the file has none';
comment on column pipeline.series_entries.title_id is 'key of the series in the catalogue; null while it has none';
comment on column pipeline.series_entries.episode_id is 'the episode in catalog.episodes; null while there is none';
comment on column pipeline.series_entries.season is 'number of the season, 0 for specials; null for a whole series';
comment on column pipeline.series_entries.episode is 'number of the episode in its season; null for a series or season';
comment on column pipeline.series_entries.is_wanted is 'true if the file says that the person wants to see it';
comment on column pipeline.series_entries.rating is 'rating from 0 to 100, converted from the source''s scale; null if not rated';
comment on column pipeline.series_entries.seen_at is 'when the person last saw it; null if the file does not tell';

comment on table pipeline.observed_offers is 'the countries whose offers were observed when a title was fetched last';
comment on column pipeline.observed_offers.title_id is 'key of the title, see catalog.title_id';
comment on column pipeline.observed_offers.regions is 'countries, ISO 3166-1 alpha-2, of MOVIE_ASSETS_REGIONS at that time';

comment on table pipeline.omdb_titles is 'a title that OMDb was asked about';
comment on column pipeline.omdb_titles.title_id is
    'key of the title: that of a movie is its tmdb_id, that of a series 1,000,000,000 plus its tmdb_id';
comment on column pipeline.omdb_titles.imdb_id is 'IMDb''s id by which it was asked about; with another one it is asked again';
comment on column pipeline.omdb_titles.outcome is
    'rated; unrated: OMDb has no rating of it; not_found: OMDb does not know it; failed: no usable response';
comment on column pipeline.omdb_titles.asked_at is
    'when it was asked about last; it is again after 90 days, 14 soon after its release, 30 if not_found, 20 hours if failed';

comment on table pipeline.omdb_days is 'the calls to OMDb of a day, and what came of them';
comment on column pipeline.omdb_days.day is 'day (UTC) of the calls';
comment on column pipeline.omdb_days.calls is 'number of calls, repeated ones included; counted before they are made';
comment on column pipeline.omdb_days.titles_rated is 'number of titles of which a rating was stored';
comment on column pipeline.omdb_days.titles_without is 'number of titles that OMDb does not know or has no rating of';
comment on column pipeline.omdb_days.titles_failed is 'number of titles without a usable response';
comment on column pipeline.omdb_days.values_read is 'number of ratings that were stored';
comment on column pipeline.omdb_days.values_rejected is 'number of ratings that cannot be right; pipeline.rejects has samples';
comment on column pipeline.omdb_days.used_up_at is
    'when OMDb refused a call because its quota was used up; null if it did not. No call is made on such a day';
