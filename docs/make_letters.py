"""Print the classes of characters that sql/search/hashed_vectors.sql has, from the Unicode tables of this Python."""

import re
import sys
import unicodedata
from collections.abc import Callable

LETTER = re.compile(r"[^\W\d_]")
DIGIT = re.compile(r"\d")
ASCII = 128
LAST_OF_FOUR_DIGITS = 0xFFFF


def is_open(character: str) -> bool:
    """Whether it does not matter in which class a character is: it is unassigned, or decomposed before it is read."""
    return unicodedata.category(character) == "Cn" or unicodedata.normalize("NFKD", character) != character


def ranges(is_in: Callable[[str], bool]) -> str:
    """Return the characters as ranges of a regular expression of Postgres."""
    found: list[list[int]] = []
    closed = True  # whether a character that is certainly not in the class lies behind the last range
    for code in [*range(1, 0xD800), *range(0xE000, sys.maxunicode + 1)]:
        character = chr(code)
        if is_in(character) and not is_open(character):
            if closed:
                found.append([code, code])
            found[-1][1] = code
            closed = False
        elif not is_open(character):
            closed = True
    return "".join(_escaped(first) + (f"-{_escaped(last)}" if last > first else "") for first, last in found)


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code <= LAST_OF_FOUR_DIGITS else f"\\U{code:08x}"


def main() -> None:
    """Print them, a line each."""
    pairs = [(chr(c), chr(c).lower()) for c in range(ASCII, sys.maxunicode + 1) if chr(c).lower() != chr(c)]
    single = [(upper, lower) for upper, lower in pairs if len(lower) == 1]
    sys.stdout.write(
        f"letters {ranges(lambda c: bool(LETTER.match(c)) and not unicodedata.combining(c))}\n"
        f"digits {ranges(lambda c: bool(DIGIT.match(c)))}\n"
        f"marks {ranges(lambda c: unicodedata.combining(c) != 0)}\n"
        f"upper {_for_sql(''.join(upper for upper, _ in single))}\n"
        f"lower {_for_sql(''.join(lower for _, lower in single))}\n"
    )


def _for_sql(text: str) -> str:
    """Return characters as U&'…' has them."""
    return "".join(f"\\{ord(c):04x}" if ord(c) <= LAST_OF_FOUR_DIGITS else f"\\+{ord(c):06x}" for c in text)


if __name__ == "__main__":
    main()
