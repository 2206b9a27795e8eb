"""Films' content as rows under the likes: a row is what several films have in common (a genre, a keyword, a person).

Which features count is said in sql/recommendations/queries.sql; what the rows are for is
`recommendations.item_models.Ease`.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from movie_assets.recommendations.histories import Ids


def content_rows(features: Sequence[Ids], films: Ids) -> sp.csr_matrix | None:
    """Features by films, 1 where a film has it; None where no film of these has any. `films` are ascending."""
    rows, columns = [], []
    for of_feature in features:
        known = of_feature[np.isin(of_feature, films, assume_unique=True)]
        if len(known) > 1:
            columns.append(np.searchsorted(films, known))
            rows.append(len(known))
    if not rows:
        return None
    places = np.concatenate(columns)
    values = np.ones(len(places), dtype=np.float32)
    ends = np.concatenate([[0], np.cumsum(rows)])
    return sp.csr_matrix((values, places, ends), shape=(len(rows), len(films)))
