-- Applied after the migrations whenever it changes: the limits of what one call of an application may ask for, so that its cost
-- is bounded: 10,000 rows, 20,000 ids in a list, filters of 200,000 characters, a vector that has a direction.

-- The number of rows that a caller wants: 10 if null. Raises invalid_parameter_value (22023) below 0 and above 10,000.
create or replace function catalog.limited_count(match_count integer) returns integer
language plpgsql immutable parallel safe
as $$
begin
    if match_count not between 0 and 10000 then
        raise exception 'match_count is %; it can be 0 to 10000', match_count using errcode = '22023';
    end if;
    return coalesce(match_count, 10);
end
$$;

-- A list of TMDB ids without nulls, empty if null. Raises invalid_parameter_value (22023) for more than 20,000.
create or replace function catalog.limited_ids(ids bigint[], name text) returns bigint[]
language plpgsql immutable parallel safe
as $$
begin
    if cardinality(ids) > 20000 then
        raise exception '% has % ids; it can have 20,000', name, to_char(cardinality(ids), 'FM999,999,999')
            using errcode = '22023';
    end if;
    return array_remove(coalesce(ids, '{}'), null);
end
$$;

-- Filters as they are, {} if null. Raises invalid_parameter_value (22023) for more than 200,000 characters.
create or replace function catalog.limited_filters(filters jsonb) returns jsonb
language plpgsql immutable parallel safe
as $$
begin
    if pg_column_size(filters) > 200000 and length(filters::text) > 200000 then
        raise exception 'the filters have % characters; they can have 200,000', length(filters::text) using errcode = '22023';
    end if;
    return coalesce(filters, '{}');
end
$$;

-- The media types that filters name, in the order of catalog.media_types(); `usual` if they name none. Raises
-- invalid_parameter_value (22023) for another value than a list of media types.
create or replace function catalog.media_of(filters jsonb, usual text[] default '{movie}') returns text[]
language plpgsql immutable parallel safe
as $$
declare
    named jsonb := filters -> 'media_types';
begin
    if coalesce(jsonb_typeof(named), 'null') = 'null' then
        return usual;
    end if;
    if jsonb_typeof(named) <> 'array' or not named <@ to_jsonb(catalog.media_types()) then
        raise exception 'the filter media_types takes a list of %, not %',
            array_to_string(catalog.media_types(), ' and '), named using errcode = '22023';
    end if;
    return array(
        select t.media from unnest(catalog.media_types()) with ordinality t (media, place)
        where named ? t.media order by t.place);
end
$$;

-- The filters of a function whose rows are movies. Raises invalid_parameter_value (22023) if they name another media type; `other`
-- is the function whose rows are titles of any.
create or replace function catalog.filters_of_movies(filters jsonb, other text) returns jsonb
language plpgsql immutable parallel safe
as $$
begin
    if catalog.media_of(filters) <> '{movie}' then
        raise exception 'this function finds movies, not %', filters -> 'media_types'
            using errcode = '22023', hint = format('catalog.%s finds titles of any media type.', other);
    end if;
    return filters;
end
$$;

-- A vector as it is. Raises invalid_parameter_value (22023) for one of zeros, whose similarity to anything is no number.
create or replace function catalog.limited_vector(embedding vector) returns vector
language plpgsql immutable parallel safe
as $$
begin
    if vector_norm(embedding) = 0 then
        raise exception 'the vector has only zeros; it has no direction to search in' using errcode = '22023';
    end if;
    return embedding;
end
$$;

-- A weight as it is. Raises invalid_parameter_value (22023) below 0, above 1 and for NaN.
create or replace function catalog.limited_weight(weight double precision) returns double precision
language plpgsql immutable parallel safe
as $$
begin
    if weight not between 0 and 1 then
        raise exception 'the weight is %; it can be 0 to 1', weight using errcode = '22023';
    end if;
    return weight;
end
$$;
