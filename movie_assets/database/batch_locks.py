"""Advisory locks that show which run works on which batch. They avoid double work; correctness does not depend on them.

The locks are held by a connection of their own, and are released with it however the process ends.
"""

import hashlib
import threading
from collections.abc import Iterable

import psycopg
import sqlalchemy as sa

BATCH_LOCKS = 0x6D62  # class of the advisory locks on batches


class LocksLostError(Exception):
    """Locks were lost, and another run has taken some of them since."""


class BatchLocks:
    """The locks of a stage on batches. They are taken again when their connection was lost."""

    def __init__(self, engine: sa.Engine, batches: Iterable[int], stage: str) -> None:
        self.taken: set[int] = set()
        self._engine = engine
        self._wanted = sorted(batches)
        self._stage = stage
        # Each stage has its own class of locks, so that embedding a batch does not wait for its details.
        self._class = BATCH_LOCKS * 2**8 + hashlib.sha256(stage.encode()).digest()[0]
        self._connection: sa.Connection | None = None
        self._lock = threading.Lock()

    def take(self) -> set[int]:
        """Take the lock of each batch that no other run holds; return the numbers of these batches."""
        self.taken = self._try_to_take(self._wanted)
        return self.taken

    def hold(self) -> None:
        """Take the locks again if their connection was lost.

        Raises LocksLostError when another run has taken one of them since.
        """
        with self._lock:
            if self._is_alive():
                return
            self.release()
            again = self._try_to_take(sorted(self.taken))
            if lost := sorted(self.taken - again):
                raise LocksLostError(
                    f"the connection that held the locks of {self._stage} was lost, and another run has taken "
                    f"{len(lost)} of its {len(self.taken)} batches since; everything committed before is kept. "
                    "Run again when that run has ended."
                )

    def release(self) -> None:
        """Close the connection, which releases the locks; it may have been cut already."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _is_alive(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.execute(sa.text("select 1"))
        except (sa.exc.DBAPIError, psycopg.Error):
            return False
        return True

    def _try_to_take(self, batches: Iterable[int]) -> set[int]:
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        lock_class = sa.cast(self._class, sa.Integer)
        return {
            batch
            for batch in batches
            if self._connection.scalar(sa.select(sa.func.pg_try_advisory_lock(lock_class, sa.cast(batch, sa.Integer))))
        }
