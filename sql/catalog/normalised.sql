-- Applied after the migrations whenever it changes: the normal form in which titles, names and queries are compared.

-- pipeline.document_version() in search_documents.sql has to be raised when the result of one of these functions changes:
-- names and documents are stored in this form.

-- Returns a text in lower case without accents, invisible characters and emoji, with ligatures and Latin letters with strokes
-- written out, and each Chinese or Japanese character as a word. The result is the same on every server, whatever its
-- locale: lower() is applied to ASCII only. Run by normalised() for texts that are not ASCII.
create or replace function catalog.folded(words text) returns text
language sql immutable strict parallel safe
return regexp_replace(regexp_replace(
    replace(replace(replace(replace(
        translate(
            normalize(
                regexp_replace(
                    normalize(
                        -- Powers and fractions are words of their own: Alien³ is “alien 3”, 8½ is “8 1 2”.
                        regexp_replace(
                            translate(words, '™®©℠’‘ʼʻ′＇´', '    '''''''''''''''),
                            '([²³¹¼½¾⁰-⁹⅐-⅟])', ' \1', 'g'),
                        nfkd),
                    '[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1-\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f'
                    '\u0670\u06d6-\u06dc\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]',
                    '', 'g'),
                nfc),
            'ØøĐđŁłÐðĦħıƏəŊŋÆŒÞẞ'
            'ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩς'
            'АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЂЄЅІЈЉЊЋЏҐ'
            'ԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖ',
            'ooddllddhhieennæœþß'
            'αβγδεζηθικλμνξοπρστυφχψως'
            'абвгдежзиклмнопрстуфхцчшщъыьэюяђєѕіјљњћџґ'
            'աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ'),
        'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
    '([\u3041-\u3096\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff])', ' \1 ', 'g'),
    '[\u0080-\u00bf\u00d7\u00f7\u02b0-\u02ff\u055a-\u055f\u0589\u05be\u05c0\u05f3\u05f4\u060c\u061b\u061f\u066a-\u066d\u06d4'
    '\u0964\u0965\u2010-\u2029\u202f-\u205f\u2065-\u206f\u20a0-\u20cf\u2190-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020'
    '\u3030\u303d\u30fb\ue000-\uf8ff\ufe10-\ufe6f\ufff0-\uffff\U0001f000-\U0001faff\U000e0000-\U0010ffff]+', ' ', 'g');

-- Returns the words of a text in lower-case letters and digits with single blanks between them; '' when there are none.
-- Numerals are not changed, & is “and”, S.W.A.T. is “swat”, Ocean's is “oceans” and L'Avventura “l avventura”.
create or replace function catalog.normalised(words text) returns text
language plpgsql immutable strict parallel safe
as $$
declare
    plain text := words;
begin
    if octet_length(plain) > length(plain) then
        -- Most of what is not ASCII is a few accents.
        plain := regexp_replace(normalize(plain, nfd), '[\u0300-\u036f]+', '', 'g');
        if octet_length(plain) > length(plain) then
            plain := catalog.folded(words);
        end if;
    end if;
    plain := lower(plain collate "C");
    if position('&' in plain) > 0 then
        plain := replace(plain, '&', ' and ');
    end if;
    if position('''' in plain) > 0 then
        plain := regexp_replace(plain, '''(s|t|d|m|ll|re|ve)(?![a-z])', '\1', 'g');
    end if;
    if position('.' in plain) > 0 then
        plain := regexp_replace(plain, '(?<![a-z0-9])([a-z])\.(?=[a-z](\.|[^a-z]|$))', '\1', 'g');
    end if;
    return btrim(regexp_replace(plain, '[\u0001-\u002f\u003a-\u0060\u007b-\u007f]+', ' ', 'g'));
end
$$;

-- Returns the key that titles have in common which are taken for the same: the normalised title without blanks and without a
-- leading article (except those that are common words of another language: “die”, “i”, “o”). A title without letters or
-- digits is its own key. plain is catalog.normalised(title).
create or replace function catalog.key_of(title text, plain text) returns text
language sql immutable parallel safe
return case
    when plain = '' then lower(btrim(title) collate "C")
    when plain ~ '^(the|an?|l[ae]s?|l|el|los|il|gli|der|das|eine?|un[ea]) .'
        then replace(substr(plain, position(' ' in plain) + 1), ' ', '')
    else replace(plain, ' ', '')
end;

drop function if exists pipeline.key_of(text, text);  -- where it was before

create or replace function catalog.title_key(title text) returns text
language plpgsql immutable strict parallel safe
as $$
begin
    return catalog.key_of(title, catalog.normalised(title));
end
$$;

-- Returns the distinct runs of three characters of each word, with two blanks before the word and one after it.
create or replace function catalog.trigrams(words text) returns text[]
language plpgsql immutable strict parallel safe
as $$
declare
    padded text := '  ' || replace(catalog.normalised(words), ' ', '   ') || ' ';
begin
    if length(padded) = 3 then
        return '{}';
    end if;
    return array(
        select distinct substr(padded, n, 3) collate "C" as trigram
        from generate_series(1, length(padded) - 2) n
        where substr(padded, n + 1, 2) <> '  '
        order by trigram);
end
$$;

-- Returns the Jaccard similarity of two sets of trigrams, 0 to 1: the number of those in both by that of those in either.
create or replace function catalog.similarity(one text[], other text[]) returns double precision
language plpgsql immutable strict parallel safe
as $$
declare
    shared double precision := (select count(*) from unnest(one) t where t = any (other));
begin
    return coalesce(shared / nullif(cardinality(one) + cardinality(other) - shared, 0), 0);
end
$$;

-- Returns all words that differ from a word by one typing error: a letter missing, wrong or added, or two letters
-- swapped. Letters are those of the word's own script (Latin, Greek, Cyrillic, Hebrew or Arabic) and digits if it has any.
create or replace function catalog.one_edit_away(word text) returns text[]
language plpgsql immutable strict parallel safe
as $$
declare
    alphabet text :=
        case
            when word ~ '[\u0430-\u045f]' then 'абвгдежзиклмнопрстуфхцчшщъыьэюяєіјљњћџґ'
            when word ~ '[\u03b1-\u03c9]' then 'αβγδεζηθικλμνξοπρστυφχψω'
            when word ~ '[\u05d0-\u05ea]' then 'אבגדהוזחטיךכלםמןנסעףפץצקרשת'
            when word ~ '[\u0621-\u064a]' then 'ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي'
            when word ~ '[a-z0-9]' then 'abcdefghijklmnopqrstuvwxyz'
            else ''
        end || case when word ~ '[0-9]' then '0123456789' else '' end;
    letters text[] := string_to_array(alphabet, null);
begin
    return array(
        select left(word, n - 1) || substr(word, n + 1) from generate_series(1, length(word)) n
        union select left(word, n - 1) || substr(word, n + 1, 1) || substr(word, n, 1) || substr(word, n + 2)
        from generate_series(1, length(word) - 1) n
        union select left(word, n - 1) || l || substr(word, n + 1) from generate_series(1, length(word)) n, unnest(letters) l
        union select left(word, n) || l || substr(word, n + 1) from generate_series(0, length(word)) n, unnest(letters) l
        except select word);
end
$$;

-- Returns the keys of titles that one typing error turns into this title. plain is the normalised title, sought its key.
-- Errors in or beside an article ("hte wave", "thew alk") are corrected too, as keys have no article.
create or replace function catalog.slips_of(plain text, sought text) returns text[]
language sql immutable parallel safe
return case when length(sought) between 2 and 40 then catalog.one_edit_away(sought) else '{}' end
    || case when replace(plain, ' ', '') ~ '^the.{3}' then array[substr(replace(plain, ' ', ''), 4)] else '{}' end
    || case
        when split_part(plain, ' ', 1) = any (catalog.one_edit_away('the')) and plain ~ ' .{3}'
        then array[replace(substr(plain, position(' ' in plain) + 1), ' ', '')] else '{}'
    end;
