"""How well searches find films, with any embedders, through the SQL functions as an application calls them.

`movie-assets refresh` makes a catalogue of the films of --details (TMDB's responses for /movie/{id}, one JSON object a
line, .gz too), or of the emulator's films without a file, once for each --embedder. Questions without a file are made
of the catalogue: of its overviews (easy, as the films' texts have them) and its collections.
"""

import gzip
import shutil
import sys
import tempfile
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from quality_catalogue import BuildError, Catalogue, catalogue_of
from quality_measures import Figures, measured
from quality_questions import questions_for
from tables import report_progress, write_figures

from movie_assets.config.paths import CHECKOUT
from movie_assets.embeddings.choice import ModelChoice, model_choice
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator

DOCUMENTS = 256  # whose embedding is timed


def main() -> None:
    """Measure each embedder with each checkout's code; print a table and write the figures."""
    options = read_options()
    columns: list[Figures] = []
    with served_films(options) as served:
        for checkout in (CHECKOUT, *(path.absolute() for path in options.against)):
            with catalogue_of(checkout, served) as catalogue:
                for choice in options.embedder or [model_choice("local")]:
                    report_progress(f"{checkout.name}: {choice}")
                    columns.append(column_of(catalogue, choice, options))
    print(table_of(columns))
    write_figures(options.json, {"columns": columns})
    if all("problem" in column for column in columns):
        sys.exit(1)


def read_options() -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--details", type=Path, action="append", default=[], metavar="FILE", help="may be repeated")
    parser.add_argument("--questions", type=Path, metavar="FILE", help='lines {"tmdb_id": …, "question": …}')
    parser.add_argument("--collections", type=Path, metavar="FILE", help='{"<tmdb_id>": "<collection>", …}')
    parser.add_argument(
        "--user-queries", type=Path, metavar="FILE", help='lines {"query": …, "expected_title_regex": … or null}'
    )
    parser.add_argument(
        "--embedder", type=model_choice, action="append", metavar="PROVIDER[:MODEL][=DIMENSIONS]",
        help="may be repeated; the settings hold its key. Without it: local",
    )  # fmt: skip
    parser.add_argument(
        "--against", type=Path, action="append", default=[], metavar="CHECKOUT",
        help="measure this checkout's code in the same run, too (with its .venv, if it has one); may be repeated",
    )  # fmt: skip
    parser.add_argument("--movies", type=int, default=600, help="films of the emulator, without --details")
    parser.add_argument("--samples", type=int, default=200, help="questions of a kind that are made, and franchises")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser.parse_args()


@contextmanager
def served_films(options: Namespace) -> Iterator[TmdbEmulator]:
    """Serve the films of all files, or those of the emulator."""
    with tempfile.TemporaryDirectory(prefix="movie_assets_quality_") as folder:
        details = joined(options.details, Path(folder) / "details.jsonl") if options.details else None
        with TmdbEmulator(EmulatorOptions(details=details, movies=options.movies, rate_limit=0)) as served:
            yield served


def joined(files: Sequence[Path], target: Path) -> Path:
    """Write all lines of the files to one file, and return it."""
    with target.open("wb") as lines:
        for path in files:
            with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as read:
                shutil.copyfileobj(read, lines)
                lines.write(b"\n")
    return target


def column_of(catalogue: Catalogue, choice: ModelChoice, options: Namespace) -> Figures:
    """Return the figures of an embedder; with a `problem` instead of figures if it made no catalogue."""
    column: Figures = {"code": catalogue.checkout.name, "embedder": str(choice)}
    try:
        _, column["embedder"] = catalogue.build(choice)
        questions = questions_for(
            catalogue, options.samples, options.questions, options.collections, options.user_queries
        )  # fmt: skip
        texts = questions.texts
        made = catalogue.question_vectors(choice, texts, documents_of(catalogue))
    except BuildError as error:
        report_progress(f"not measured: {error}")
        return column | {"problem": str(error)}
    column |= {
        "films": catalogue.rows("select count(*) from catalog.movies")[0][0],
        "franchise films": len(questions.franchises), "plot questions": len(questions.plots),
        "“movies like X”, other titles": len(questions.like_other_titles),
        "titles with a slip": len(questions.slips), "user queries": len(questions.users),
        "texts embedded a second": made["texts_a_second"], "embedding a question, ms": made["question_ms"],
    }  # fmt: skip
    return column | measured(catalogue, questions, dict(zip(texts, made["vectors"], strict=True)))


def documents_of(catalogue: Catalogue) -> list[str]:
    """Return the texts of some films."""
    rows = catalogue.rows("select embedding_text from catalog.movies order by md5(tmdb_id::text) limit %s", DOCUMENTS)
    return [row[0] for row in rows]


def table_of(columns: Sequence[Figures]) -> str:
    """Return the figures as a table in Markdown, a column for each embedder, and the problems below it."""
    good = [column for column in columns if "problem" not in column]
    names = list(dict.fromkeys(name for column in good for name in column if name not in ("code", "embedder")))
    heads = [f"{column['embedder']} ({column['code']})" for column in good]
    lines = [f"| | {' | '.join(heads)} |", f"|---|{'---:|' * len(good)}"]
    lines += [f"| {name} | {' | '.join(shown(column.get(name)) for column in good)} |" for name in names]
    problems = [f"{c['embedder']} ({c['code']}) was not measured: {c['problem']}" for c in columns if "problem" in c]
    return "\n\n".join(["\n".join(lines), *problems])


def shown(value: Any) -> str:
    """Return a figure as the table shows it; parts of one with their names, but shares without."""
    if value is None:
        return "-"
    if isinstance(value, dict):
        return ", ".join(f"{'' if '@' in name else f'{name} '}{shown(part)}" for name, part in value.items())
    if isinstance(value, float):
        return f"{value:.3f}" if value <= 1 else f"{value:,.1f}"
    return f"{value:,}"


if __name__ == "__main__":
    main()
