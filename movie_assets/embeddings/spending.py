"""The purse of a run: reservations in Postgres, so that requests in flight count, in this process and in others.

What a request costs at most is reserved before it is sent; the reservation goes in the transaction that records the
cost. What tokens cost is `config.prices`.
"""

from datetime import datetime

import sqlalchemy as sa

from movie_assets.config.prices import Budgets
from movie_assets.database.database import Database, execute, rows

NO_RESERVATION = 0


class DatabaseBudget:
    """The budgets of a run and of its day (UTC). Without any, nothing is reserved."""

    def __init__(self, database: Database, set_id: int, run_id: str, as_of: datetime, budgets: Budgets) -> None:
        self.budgets = budgets
        self._database = database
        self._set_id = set_id
        self._run_id = run_id
        self._as_of = as_of

    def reserve(self, tokens: int, dollars: float) -> int | None:
        """A ticket, or None when one of the budgets does not hold so much beside what is spent and in flight."""
        if not self.budgets.are_set:
            return NO_RESERVATION

        def work(connection: sa.Connection) -> int | None:
            execute(connection, "lock_spending")
            made = rows(
                connection, "reserve_spending", set_id=self._set_id, run_id=self._run_id, tokens=tokens,
                dollars=dollars, as_of=self._as_of, run_dollars=self.budgets.run_dollars,
                daily_dollars=self.budgets.daily_dollars,
            )  # fmt: skip
            return made[0].reservation_id if made else None

        return self._database.once(work)

    def release(self, reservation: int) -> None:
        """Give a ticket back that nothing was charged for."""
        if reservation != NO_RESERVATION:
            self._database.execute("release_reservation", reservation_id=reservation)

    def left(self) -> dict[str, float]:
        """What each budget that is set has left, by its variable."""
        spent = self._database.row("embedding_dollars", as_of=self._as_of, run_id=self._run_id)
        left = {}
        if self.budgets.run_dollars:
            used = spent.spent_by_run + spent.reserved_by_run
            left["MOVIE_ASSETS_RUN_DOLLARS"] = max(0.0, self.budgets.run_dollars - used)
        if self.budgets.daily_dollars:
            used = spent.spent_today + spent.reserved_today
            left["MOVIE_ASSETS_DAILY_DOLLARS"] = max(0.0, self.budgets.daily_dollars - used)
        return left

    def is_empty(self) -> str:
        """Which budget ends the run, what was spent, what to do."""
        spent = self._database.row("embedding_dollars", as_of=self._as_of, run_id=self._run_id)
        told = []
        if self.budgets.run_dollars:
            told.append(
                f"MOVIE_ASSETS_RUN_DOLLARS={self.budgets.run_dollars:g} is used up (${spent.spent_by_run:.4f} spent by "
                "this run); run again, or raise it"
            )
        if self.budgets.daily_dollars:
            unknown = f", ${spent.reserved_today:.4f} in flight" if spent.reserved_today else ""
            told.append(
                f"MOVIE_ASSETS_DAILY_DOLLARS={self.budgets.daily_dollars:g} is used up (${spent.spent_today:.4f} spent "
                f"on {self._as_of:%Y-%m-%d}{unknown}); run again tomorrow (UTC), or raise it"
            )
        if len(told) > 1:
            used_up = spent.spent_by_run / self.budgets.run_dollars, spent.spent_today / self.budgets.daily_dollars
            told = [told[used_up.index(max(used_up))]]
        return f"{told[0]}: everything embedded so far is kept"
