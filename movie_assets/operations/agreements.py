"""The result of a comparison: two tables that must agree, the number of rows that differ, and some of them."""

from collections.abc import Collection
from dataclasses import dataclass, field

MAX_EXAMPLES = 5
MAX_DIFFERENCES = 20  # of one table


@dataclass(frozen=True)
class Difference:
    """A row that differs from what it is made from: its table, its key, and the columns that differ.

    `columns` is `row missing` or `row too many` when the whole row differs.
    """

    table: str
    key: str
    columns: str


@dataclass
class Agreement:
    """Two tables that must agree, and the result of their comparison.

    `agreement` is the sentence that must be true; it is the name under which results are stored. `repaired` counts rows
    that were written again or are due to be.
    """

    agreement: str
    rows_compared: int = 0
    rows_differing: int = 0
    examples: list[str] = field(default_factory=list)
    repaired: int = 0
    differences: list[Difference] = field(default_factory=list)

    def add_difference(self, table: str, key: object, columns: Collection[str] | None, state: str = "other") -> None:
        """Count a row that differs; the first ones are kept as differences and examples.

        `state` is `missing`, `too many`, or `other` when `columns` differ.
        """
        self.rows_differing += 1
        description = ", ".join(columns) if columns and state == "other" else f"row {state}"
        if sum(each.table == table for each in self.differences) < MAX_DIFFERENCES:
            self.differences.append(Difference(table, str(key), description))
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(f"{key} {table}: {description}")
