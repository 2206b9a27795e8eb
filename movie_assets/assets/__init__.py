"""One thin module a stage, its checks beside it."""

import warnings

import dagster as dg

# A run over a range of batches needs it, and it has been in beta since Dagster 1.4; a test holds its behaviour.
warnings.filterwarnings("ignore", category=dg.BetaWarning, message="Parameter `backfill_policy`")
