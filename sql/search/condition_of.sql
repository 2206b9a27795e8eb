-- Applied after the migrations whenever it changes: the filters that every search takes, as a condition in SQL.

-- The part of a condition that leaves titles of these media types only; nothing if the catalogue has no others, so that searches
-- of a catalogue of movies are planned without it.
create or replace function catalog.condition_of_media(media text[]) returns text
language plpgsql stable parallel safe
as $$
begin
    if media @> catalog.media_types()
        or media = '{movie}' and not exists (select from catalog.titles t where t.title_id >= 1000000000)
    then
        return '';
    end if;
    return ' and (' || coalesce((
        select string_agg(
            format('m.title_id between %s and %s', catalog.title_id(t.media, 0), catalog.title_id(t.media, 999999999)), ' or ')
        from unnest(media) t (media)), 'false') || ')';
end
$$;

-- The condition is on a row named m that has title_id, release_year, genres, original_language, runtime_minutes and
-- certification: catalog.titles, or the vectors of an embedding set. Filters are joined by "and"; null counts as unsaid:
--   media_types                  movie, series; any of these, movies if unsaid
--   genres, without_genres       lists of TMDB's genre names: any of them, none of them
--   languages                    original language (ISO 639-1), any of these
--   countries                    of production (ISO 3166-1), any of these
--   certifications               in the United States, any of these
--   max_age, country             suitable at this age by every certification in a country (ISO 3166-1, the United States if unsaid);
--                                a title without one there, or with an unknown one, is not
--   keywords, people             any of these names; people are cast and crew
--   year_from, year_to           year of release, both included
--   runtime_from, runtime_to     minutes, both included
--   min_votes, min_average       of TMDB's users, the average 0 to 10
--   collection_id                films of one collection
--   exclude                      title_ids that are not wanted
-- Values are quoted by format(); an unknown filter or a value of another type is an error that names it.
create or replace function catalog.condition_of(filters jsonb) returns text
language plpgsql stable parallel safe
as $$
declare
    given jsonb := jsonb_strip_nulls(coalesce(filters, '{}'));
    lists constant text[] := '{media_types,genres,without_genres,languages,countries,certifications,keywords,people,exclude}';
    numbers constant text[] :=
        '{year_from,year_to,runtime_from,runtime_to,min_votes,min_average,collection_id,max_age}';
    texts constant text[] := '{country}';
    name text;
    value jsonb;
    wanted text;
    condition text := 'true';
begin
    if jsonb_typeof(given) <> 'object' then
        raise exception 'filters are a JSON object, not %', given;
    end if;
    for name, value in select * from jsonb_each(given) loop
        if name = any (lists) and jsonb_typeof(value) = 'array' then
            wanted := format('%L::text[]', array(select jsonb_array_elements_text(value)));
        elsif name = any (numbers) and jsonb_typeof(value) = 'number' then
            wanted := value::text;
        elsif name = any (texts) and jsonb_typeof(value) = 'string' then
            if not given ? 'max_age' then
                raise exception 'the filter country goes with max_age'
                    using hint = 'It names the country of the certifications; countries finds films produced in a country.';
            end if;
        elsif name = any (lists || numbers || texts) then
            raise exception 'the filter % takes %, not %', name,
                case when name = any (lists) then 'a list' when name = any (numbers) then 'a number' else 'a text' end, value;
        else
            raise exception 'there is no filter %', name
                using hint = 'Known are ' || array_to_string(lists || numbers || texts, ', ') || '.';
        end if;
        continue when name in ('media_types', 'country');
        condition := condition || ' and ' || case name
            when 'genres' then format('m.genres && %s', wanted)
            when 'without_genres' then format('not m.genres && %s', wanted)
            when 'languages' then format('m.original_language = any (%s)', wanted)
            when 'certifications' then format('m.certification = any (%s)', wanted)
            when 'year_from' then format('m.release_year >= %s', wanted)
            when 'year_to' then format('m.release_year <= %s', wanted)
            when 'runtime_from' then format('m.runtime_minutes >= %s', wanted)
            when 'runtime_to' then format('m.runtime_minutes <= %s', wanted)
            when 'exclude' then format('m.title_id <> all (%s::bigint[])', wanted)
            when 'countries' then format(
                'm.title_id in (select c.title_id from catalog.title_countries c where c.country = any (%s))', wanted)
            when 'keywords' then format(
                'm.title_id in (select k.title_id from catalog.title_keywords k join catalog.keywords w using (keyword_id)
                 where w.name = any (%s))', wanted)
            when 'people' then format(
                'm.title_id in (select r.title_id from catalog.people p join catalog.title_cast r using (person_id)
                 where p.name = any (%1$s)
                 union all select r.title_id from catalog.people p join catalog.title_crew r using (person_id)
                 where p.name = any (%1$s))', wanted)
            when 'collection_id' then format(
                'm.title_id in (select c.title_id from catalog.title_collections c where c.collection_id = %s)', wanted)
            when 'max_age' then format(
                'm.title_id in (select a.title_id from catalog.title_certifications a where a.country = %L and a.age <= %s)',
                upper(coalesce(given ->> 'country', 'US')), wanted)
            when 'min_votes' then format(
                'exists (select from catalog.title_stats s where s.title_id = m.title_id and s.vote_count >= %s)', wanted)
            when 'min_average' then format(
                'exists (select from catalog.title_stats s where s.title_id = m.title_id and s.vote_average >= %s)', wanted)
        end;
    end loop;
    return condition || catalog.condition_of_media(catalog.media_of(given));
end
$$;
