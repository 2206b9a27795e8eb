"""The budget of a run: reservations in Postgres count requests in flight, of this process and of others.

The highest possible cost of a request is reserved before it is sent. The reservation is deleted in the transaction that
records the actual cost. Prices are in `config.prices`.
"""

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from movie_assets.config.prices import Budgets
from movie_assets.database.database import Database, execute, fetch_optional

NO_RESERVATION = 0


class Reservation(NamedTuple):
    """A reservation that was made."""

    reservation_id: int


class Spending(NamedTuple):
    """US dollars that a day (UTC) and a run have spent on embeddings, and those that are reserved."""

    spent_today: float
    reserved_today: float
    spent_by_run: float
    reserved_by_run: float


class DatabaseBudget:
    """The budgets of a run and of its day (UTC). Nothing is reserved if neither is set.

    `set_id` is the embedding set that is paid for, or None for a comparison of models, which keeps no vectors.
    """

    def __init__(self, database: Database, set_id: int | None, run_id: str, as_of: datetime, budgets: Budgets) -> None:
        self.budgets = budgets
        self._database = database
        self._set_id = set_id
        self._run_id = run_id
        self._as_of = as_of

    def reserve(self, tokens: int, dollars: float) -> int | None:
        """Return the number of a new reservation, or None when one of the budgets is too small for it."""
        if not self.budgets.are_set:
            return NO_RESERVATION

        def work(connection: sa.Connection) -> int | None:
            execute(connection, "lock_spending")
            made = fetch_optional(
                connection, Reservation, "reserve_spending", set_id=self._set_id, run_id=self._run_id, tokens=tokens,
                dollars=dollars, as_of=self._as_of, run_dollars=self.budgets.run_dollars,
                daily_dollars=self.budgets.daily_dollars,
            )  # fmt: skip
            return made.reservation_id if made else None

        return self._database.once(work)

    def release(self, reservation: int) -> None:
        """Delete a reservation for which nothing was charged."""
        if reservation != NO_RESERVATION:
            self._database.execute("release_reservation", reservation_id=reservation)

    def remaining(self) -> dict[str, float]:
        """Return the US dollars that remain of each budget that is set, by the name of its variable."""
        spending = self._spending()
        remaining = {}
        if self.budgets.run_dollars:
            used = spending.spent_by_run + spending.reserved_by_run
            remaining["MOVIE_ASSETS_RUN_DOLLARS"] = max(0.0, self.budgets.run_dollars - used)
        if self.budgets.daily_dollars:
            used = spending.spent_today + spending.reserved_today
            remaining["MOVIE_ASSETS_DAILY_DOLLARS"] = max(0.0, self.budgets.daily_dollars - used)
        return remaining

    def exhausted_message(self) -> str:
        """Return a message that names the budget that is used up, the dollars spent, and what to do."""
        spending = self._spending()
        messages: list[tuple[float, str]] = []  # with the share of the budget that is spent
        if run_dollars := self.budgets.run_dollars:
            message = (
                f"MOVIE_ASSETS_RUN_DOLLARS={run_dollars:g} is used up (${spending.spent_by_run:.4f} spent by this "
                "run); run again, or raise it"
            )
            messages.append((spending.spent_by_run / run_dollars, message))
        if daily_dollars := self.budgets.daily_dollars:
            reserved = f", ${spending.reserved_today:.4f} in flight" if spending.reserved_today else ""
            message = (
                f"MOVIE_ASSETS_DAILY_DOLLARS={daily_dollars:g} is used up (${spending.spent_today:.4f} spent on "
                f"{self._as_of:%Y-%m-%d}{reserved}); run again tomorrow (UTC), or raise it"
            )
            messages.append((spending.spent_today / daily_dollars, message))
        _, message = max(messages, key=lambda message: message[0])
        return message if self._set_id is None else f"{message}: everything embedded so far is kept"

    def _spending(self) -> Spending:
        return self._database.fetch_one(Spending, "embedding_dollars", as_of=self._as_of, run_id=self._run_id)
