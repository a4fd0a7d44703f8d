"""The store's own corpus: systems that `train` learns from besides those that come with ratedb."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ratedb.errors import RatedbError
from ratedb.store.seals import need_intact_row
from ratedb.store.systems import SystemStore

if TYPE_CHECKING:
    from ratedb.models.corpus.own import OwnSystem
    from ratedb.models.corpus.table import Corpus


_NEWEST = """
SELECT arg_max(name, (changed_at, corpus_system_id)) AS name,
       arg_max(state, (changed_at, corpus_system_id)) AS state
FROM corpus_system JOIN collision_system USING (system_id)
GROUP BY system_id HAVING arg_max(action, (changed_at, corpus_system_id)) = 'add'
ORDER BY max((changed_at, corpus_system_id))
"""


class CorpusStore(SystemStore):
    """The part of a store with the table corpus_system."""

    def own_names(self) -> list[str]:
        """Return the names of the systems in the own corpus, in the order in which they were added."""
        return [name for name, _ in self.rows(_NEWEST)]

    def own_systems(self) -> list[OwnSystem]:
        """Return the systems of the own corpus; raises RatedbError where one is damaged."""
        from ratedb.models.corpus.own import OwnSystem

        for number in self.column("SELECT corpus_system_id FROM corpus_system"):
            need_intact_row(self.connection, "corpus_system", number)
        return [OwnSystem.of_json(json.loads(state)) for _, state in self.rows(_NEWEST)]

    def corpus(self) -> Corpus:
        """Return the corpus that comes with ratedb and the own one; raises RatedbError for a damaged one."""
        from ratedb.models.corpus.own import with_own
        from ratedb.models.corpus.table import shipped_corpus

        return with_own(shipped_corpus(), self.own_systems())

    def put_own_system(self, own: OwnSystem, rates_sha256: str, source_ids: Sequence[int]) -> bool:
        """Store what was learnt of a system, and return whether it takes the place of an older entry."""
        from ratedb.store.records import CorpusSystemRow

        system = self.system(own.learnt.system)
        with self.transaction() as session:
            there = system.name in self.own_names()
            session.add(
                CorpusSystemRow(
                    system_id=system.system_id,
                    action="add",
                    rates_sha256=rates_sha256,
                    source_ids=list(source_ids),
                    state=own.to_json(),
                )
            )
        return there

    def remove_own_system(self, name: str) -> None:
        """Take a system out of the own corpus; raises RatedbError where it is not there."""
        from ratedb.store.records import CorpusSystemRow

        system = self.system(name)
        with self.transaction() as session:
            if name not in (names := self.own_names()):
                raise RatedbError(
                    f"{name} is not in the store's own corpus",
                    where=str(self.path),
                    expected=", ".join(names) or "a system that was added",
                    got=name,
                    todo="`ratedb corpus` lists it; systems that come with ratedb cannot be removed",
                )
            session.add(
                CorpusSystemRow(
                    system_id=system.system_id, action="remove", rates_sha256="", source_ids=[], state={}
                )
            )
