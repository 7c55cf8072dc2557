"""Which score is used where none is named. No torch."""

from __future__ import annotations

DEFAULT_SCORE = "centered_l2"
"""The best by AUC on the validation split (`importance.auc.auc_table`, see the model card)."""
PAPER_SCORE = "sparsevit"
"""The score of the paper, shown beside the default."""
