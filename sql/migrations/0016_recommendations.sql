-- Migration: what is learnt from watch histories, each person's recommendations, and how good they are.
create table pipeline.recommendation_models (
    model_id integer generated always as identity primary key,
    kind text not null check (kind in ('ease', 'als')),
    method_version text not null,
    inputs text not null,
    parameters jsonb not null,
    persons integer not null,
    films integer not null,
    likes bigint not null,
    entries bigint not null,
    newest_entry timestamptz not null,
    seconds double precision not null,
    fitted_at timestamptz not null,
    is_served boolean not null default false
);
create unique index on pipeline.recommendation_models (is_served) where is_served;
comment on table pipeline.recommendation_models is 'one row is a model; weights are kept of the served one only';
comment on column pipeline.recommendation_models.inputs is 'names the histories that it was fitted on';
comment on column pipeline.recommendation_models.entries is 'rows of catalog.watch_histories when it was fitted';
comment on column pipeline.recommendation_models.newest_entry is 'imported_at of the newest of them';

create table pipeline.film_weights (
    model_id integer not null references pipeline.recommendation_models on delete cascade,
    tmdb_id bigint not null,
    popularity real not null,
    others bigint[] not null,
    weights real[] not null,
    directions real[] not null,
    primary key (model_id, tmdb_id),
    check (cardinality(others) = cardinality(weights))
);
comment on table pipeline.film_weights is
    'what liking a film says for and against others: the 200 largest weights; the films need not be in the catalogue';
comment on column pipeline.film_weights.popularity is '0-1: log(1 + how many like it), of the most liked film''s';
comment on column pipeline.film_weights.directions is
    'a unit vector: the nearer two films'' are, the more they are liked by the same people, or have in common';

-- People whose history changed since their list was made, kept by triggers: to find them costs what changed, not what is.
create table pipeline.changed_histories (
    person text primary key,
    changes bigint not null default 1
);
comment on table pipeline.changed_histories is 'somebody whose history changed since the list was made; kept by triggers';
insert into pipeline.changed_histories (person) select distinct person from catalog.watch_histories;
create function pipeline.note_changed_histories() returns trigger
language plpgsql
security definer set search_path = ''  -- who may write histories need not have rights on the pipeline's own tables
as $$
begin
    insert into pipeline.changed_histories as c (person)
    select distinct m.person from moved m order by 1
    on conflict (person) do update set changes = c.changes + 1;
    return null;
end
$$;
create trigger watch_histories_came after insert on catalog.watch_histories
    referencing new table as moved for each statement execute function pipeline.note_changed_histories();
create trigger watch_histories_changed after update on catalog.watch_histories
    referencing new table as moved for each statement execute function pipeline.note_changed_histories();
create trigger watch_histories_went after delete on catalog.watch_histories
    referencing old table as moved for each statement execute function pipeline.note_changed_histories();
create index on catalog.watch_histories (imported_at);

create table catalog.recommendations (
    person text not null,
    place smallint not null check (place > 0),
    tmdb_id bigint not null references catalog.movies on delete cascade,
    score real not null,
    because bigint[] not null,
    because_weights real[] not null,
    primary key (person, place),
    check (cardinality(because) = cardinality(because_weights))
);
create index on catalog.recommendations (tmdb_id);
comment on table catalog.recommendations is 'one row is a film in the list of a person; catalog.recommendations_for tells why';
comment on column catalog.recommendations.because is 'the films of the history that say most for it';

create table pipeline.recommendation_lists (
    person text primary key,
    model_id integer references pipeline.recommendation_models on delete set null,
    films smallint not null,
    made_at timestamptz not null
);
create index on pipeline.recommendation_lists (model_id);
comment on table pipeline.recommendation_lists is 'when a person''s list was made, and by which model';
comment on column pipeline.recommendation_lists.model_id is 'the model that was served when the list was made, if any';

create table pipeline.recommendation_quality (
    model_id integer not null references pipeline.recommendation_models on delete cascade,
    protocol text not null check (protocol in ('last 20 %', 'last one')),
    model text not null,
    measured_at timestamptz not null,
    persons integer not null,
    recall_at_10 double precision not null,
    recall_low double precision not null,
    recall_high double precision not null,
    ndcg_at_10 double precision not null,
    ndcg_low double precision not null,
    ndcg_high double precision not null,
    over_popularity double precision not null,
    over_popularity_low double precision not null,
    over_popularity_high double precision not null,
    coverage double precision not null,
    diversity double precision not null,
    diversity_low double precision not null,
    diversity_high double precision not null,
    seconds double precision not null,
    primary key (model_id, protocol, model)
);
comment on table pipeline.recommendation_quality is 'how well a model finds what people liked next';
comment on column pipeline.recommendation_quality.over_popularity is
    'NDCG@10 minus that of popularity for the same people; low and high are of the difference';
