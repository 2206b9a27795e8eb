"""The assets and the check of recommendations."""

from movie_assets.recommendations import recommendation_quality
from movie_assets.recommendations.recommendation_model import recommendation_model
from movie_assets.recommendations.recommendations import recommendations

ASSETS = (
    recommendation_model,  # what people watch together
    recommendations,  # a list for each person
    recommendation_quality.recommendation_quality,  # how good the lists are
)
CHECKS = (recommendation_quality.the_model_beats_popularity,)
