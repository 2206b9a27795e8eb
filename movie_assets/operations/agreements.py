"""What the recount found: tables that must agree, how many rows do not, and some of them by name."""

from collections.abc import Collection
from dataclasses import dataclass, field

MAX_EXAMPLES = 5
MAX_DIFFERENCES = 20  # of one table, in a run's list


@dataclass(frozen=True)
class Difference:
    """A row that is not what it is made from: its key, and the columns that differ or what is wrong with all of it."""

    table: str
    key: str
    columns: str


@dataclass
class Agreement:
    """Two tables that must agree, as they were found."""

    agreement: str
    rows_compared: int = 0
    rows_differing: int = 0
    examples: list[str] = field(default_factory=list)
    repaired: int = 0
    differences: list[Difference] = field(default_factory=list)

    def differs(self, table: str, key: object, columns: Collection[str] | None, what: str = "other") -> None:
        """Note a row that differs; the first ones are kept by name."""
        self.rows_differing += 1
        told = ", ".join(columns) if columns and what == "other" else f"row {what}"
        if sum(each.table == table for each in self.differences) < MAX_DIFFERENCES:
            self.differences.append(Difference(table, str(key), told))
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(f"{key} {table}: {told}")
