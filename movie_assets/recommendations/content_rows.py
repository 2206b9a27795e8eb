"""The content of films as rows of a matrix: a row is a feature that films share (a genre, a keyword, a person).

The query content_features of sql/recommendations/queries.sql selects the features. `recommendations.item_models.Ease`
learns from the rows.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from movie_assets.recommendations.histories import Ids


def content_rows(features: Sequence[Ids], films: Ids) -> sp.csr_matrix | None:
    """Return a matrix of features by films, 1 where a film has the feature; None without any feature.

    `features` has the ids of the films with each feature; `films` are ascending.
    """
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
