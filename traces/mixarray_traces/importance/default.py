"""Which score is used where none is named. No torch."""

from __future__ import annotations

from mixarray_traces.importance.token_map import TokenMap

DEFAULT_SCORE = "centered_l2"
"""The best by AUC on the validation split (`importance.auc.auc_table`, see the model card)."""
DEFAULT_TOKEN_MAP = TokenMap.CENTERED
"""What the file of `DEFAULT_SCORE` declares, for those who do without torch."""
PAPER_SCORE = "sparsevit"
"""The score of the paper, shown beside the default."""
