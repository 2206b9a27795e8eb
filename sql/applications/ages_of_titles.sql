-- Applied after the migrations whenever it changes: from what age on a title is suitable, by its certifications.

-- Returns the age in a label that holds one, such as 12A, PG-13, M/6 or U/A 13+; the greatest of several. Null for a label without
-- a number, with one beyond 21, or with more than 12 characters, which is no label of a board.
create or replace function catalog.age_in_label(label text) returns smallint
language sql immutable parallel safe
return case
    when length(label) <= 12 then (
        select case when max(n.digits[1]::numeric) <= 21 then max(n.digits[1]::numeric) end
        from regexp_matches(label, '\d+', 'g') as n (digits))::smallint
end;

-- Returns the age from which on a board lets children see what has a label; null if the label is unknown.
create or replace function catalog.certification_age(media_type text, country text, label text) returns smallint
language sql stable parallel safe
as $$
    select case when a.label is null then catalog.age_in_label(certification_age.label) else a.age end
    from (values (1)) as one (row)
    left join catalog.certification_ages a
        on (a.media_type, a.country, a.label) = (certification_age.media_type, certification_age.country, certification_age.label)
$$;

-- Returns the age of the strictest of several labels; null if one of them is unknown, or there is none. Labels that say that
-- there is no certification do not count.
create or replace function catalog.strictest_label(media_type text, country text, labels text[]) returns smallint
language sql stable parallel safe
as $$
    select case when count(*) = count(k.age) then max(k.age) end
    from (
        select case when a.label is null then catalog.age_in_label(l.label) else a.age end as age
        from unnest(labels) as l (label)
        left join catalog.certification_ages a
            on (a.media_type, a.country, a.label) = (strictest_label.media_type, strictest_label.country, l.label)
        where a.label is null or a.age is not null
    ) k
$$;

-- Returns the age of the strictest certification of a title in a country, from all its certifications there.
create or replace function catalog.strictest_age(title_id bigint, country text) returns smallint
language sql stable parallel safe
as $$
    select catalog.strictest_label(catalog.media_type(strictest_age.title_id), strictest_age.country, array(
        select c.certification from catalog.title_certifications c
        where c.title_id = strictest_age.title_id and c.country = strictest_age.country
        union
        select r.certification from catalog.release_dates r
        where r.title_id = strictest_age.title_id and r.country = strictest_age.country and r.certification is not null))
$$;

-- Returns the age from which on a title is suitable in a country (ISO 3166-1; CA-QC for Quebec). Null is not "for all": the title
-- has no certification there, or one that is unknown.
create or replace function catalog.suitable_age(title_id bigint, country text) returns smallint
language sql stable parallel safe
as $$
    select c.age from catalog.title_certifications c
    where c.title_id = suitable_age.title_id and c.country = upper(suitable_age.country)
$$;
