import json

import httpx
import pytest

from movie_assets.emulator.moving_world import MovingWorld
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.emulator.shapes import EMPTY_PARTS
from movie_assets_tests.emulator.conftest import TODAY, get

DETAIL_KEYS = {
    *("adult", "backdrop_path", "belongs_to_collection", "budget", "genres", "homepage", "id", "imdb_id"),
    *("origin_country", "original_language", "original_title", "overview", "popularity", "poster_path"),
    *("production_companies", "production_countries", "release_date", "revenue", "runtime", "softcore"),
    *("spoken_languages", "status", "tagline", "title", "video", "vote_average", "vote_count"),
}
CAST_KEYS = {
    *("adult", "gender", "id", "known_for_department", "name", "original_name", "popularity"),
    *("profile_path", "cast_id", "character", "credit_id", "order"),
}


def made_up_id(tmdb_emulator: TmdbEmulator) -> int:
    return int(tmdb_emulator.world.columns(TODAY).tmdb_id[-1])


def test_details_have_every_key_of_tmdb(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    for tmdb_id in (550, made_up_id(tmdb_emulator)):
        assert set(api.get(f"/movie/{tmdb_id}").json()) == DETAIL_KEYS


def test_every_answer_names_the_stand_in_as_its_server(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    responses = (api.get("/movie/550"), api.get("/nope"), get(f"{tmdb_emulator.url}/elsewhere"))
    assert [response.headers.get_list("server") for response in responses] == [["movie-assets-stand-in"]] * 3


def test_genres_carry_tmdbs_ids(api: httpx.Client) -> None:
    assert {"id": 18, "name": "Drama"} in api.get("/movie/550").json()["genres"]


@pytest.mark.parametrize("part", sorted(EMPTY_PARTS))
def test_each_part_can_be_appended_and_asked_for_alone(api: httpx.Client, part: str) -> None:
    appended = api.get("/movie/550", params={"append_to_response": part}).json()[part]
    alone = api.get(f"/movie/550/{part}").json()
    assert set(appended) == set(EMPTY_PARTS[part])
    assert alone == {"id": 550, **appended}


def test_credits_have_cast_in_order_and_a_director(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    people = api.get(f"/movie/{made_up_id(tmdb_emulator)}/credits").json()
    assert [member["order"] for member in people["cast"]] == list(range(len(people["cast"])))
    assert all(set(member) == CAST_KEYS for member in people["cast"])
    assert any(member["job"] == "Director" for member in people["crew"])


def test_several_parts_come_in_one_call_and_unknown_ones_are_passed_over(api: httpx.Client) -> None:
    body = api.get("/movie/550", params={"append_to_response": "credits,watch/providers,horoscope"}).json()
    assert set(body) == DETAIL_KEYS | {"credits", "watch/providers"}


def test_more_than_twenty_parts_are_refused(api: httpx.Client) -> None:
    parts = ",".join(f"part{number}" for number in range(21))
    response = api.get("/movie/550", params={"append_to_response": parts})
    assert (response.status_code, response.json()["status_code"]) == (400, 27)


def test_an_imdb_id_names_the_film_as_well(api: httpx.Client) -> None:
    assert api.get("/movie/tt0137523").json()["id"] == 550


@pytest.mark.parametrize("unknown", ["999999999", "tt9999999", "fight-club", "-5"])
def test_an_unknown_id_answers_404_code_34(api: httpx.Client, unknown: str) -> None:
    response = api.get(f"/movie/{unknown}")
    assert response.status_code == 404
    assert response.json() == {
        "success": False,
        "status_code": 34,
        "status_message": "The resource you requested could not be found.",
    }


def test_a_film_that_vanished_answers_404(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    deleted = [change.tmdb_id for change in tmdb_emulator.world.changes(TODAY) if change.adult is None]
    assert deleted
    assert all(api.get(f"/movie/{tmdb_id}").status_code == 404 for tmdb_id in deleted)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer"}, {"Authorization": "Basic abc"}])
def test_without_a_bearer_token_the_answer_is_401_code_7(tmdb_emulator: TmdbEmulator, headers: dict[str, str]) -> None:
    response = get(f"{tmdb_emulator.tmdb_url}/movie/550", headers=headers)
    assert response.status_code == 401
    assert response.json() == {
        "success": False,
        "status_code": 7,
        "status_message": "Invalid API key: You must be granted a valid key.",
    }


def test_a_configured_token_is_the_only_one_that_is_taken(world: MovingWorld) -> None:
    with TmdbEmulator(EmulatorOptions(token="right"), world=world) as tmdb_emulator:
        for token, status in (("wrong", 401), ("right", 200)):
            response = get(f"{tmdb_emulator.tmdb_url}/configuration", headers={"Authorization": f"Bearer {token}"})
            assert response.status_code == status


def test_a_client_that_holds_the_same_body_gets_304(api: httpx.Client) -> None:
    first = api.get("/movie/550")
    assert first.headers["ETag"].startswith('W/"')
    assert first.headers["Cache-Control"] == "public, max-age=28800"
    again = api.get("/movie/550", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_bodies_are_gzipped_only_for_clients_that_take_it(api: httpx.Client) -> None:
    packed = api.get("/movie/550")
    plain = api.get("/movie/550", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()


def test_a_film_can_be_found_by_its_imdb_id(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    made_up = next(
        detail
        for tmdb_id in tmdb_emulator.world.columns(TODAY).tmdb_id.tolist()[::-1]
        if (detail := tmdb_emulator.world.detail(tmdb_id, TODAY)) and detail["imdb_id"]
    )
    for imdb_id, tmdb_id in (("tt0137523", 550), (made_up["imdb_id"], made_up["id"])):
        results = api.get(f"/find/{imdb_id}", params={"external_source": "imdb_id"}).json()
        assert [item["id"] for item in results["movie_results"]] == [tmdb_id]
        assert results["movie_results"][0]["media_type"] == "movie"
    assert api.get("/find/tt0000000", params={"external_source": "imdb_id"}).json()["movie_results"] == []


def test_images_are_those_of_the_languages_that_are_asked_for(api: httpx.Client) -> None:
    def posters(**parameters: str) -> list[str | None]:
        return [image["iso_639_1"] for image in api.get("/movie/603/images", params=parameters).json()["posters"]]

    every = posters()
    assert {None, "en"} < {*every}
    assert posters(include_image_language="en") == [each for each in every if each == "en"]
    assert posters(include_image_language="en,null") == [each for each in every if each in {"en", None}]
    assert posters(language="en-US") == posters(include_image_language="en")
    assert posters(language="en-US", include_image_language="null") == [None]


def test_configuration_gives_the_addresses_of_pictures(api: httpx.Client) -> None:
    assert api.get("/configuration").json()["images"]["secure_base_url"] == "https://image.tmdb.org/t/p/"


def test_details_are_the_same_json_that_the_world_gives(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    body = tmdb_emulator.world.body(550, TODAY, ("credits",))
    assert body is not None
    assert api.get("/movie/550?append_to_response=credits").json() == json.loads(body)
