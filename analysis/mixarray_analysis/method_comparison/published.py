"""Published numbers of these methods, as context: other models, other data, other measures than ours.

None of them was measured here, and none can be compared with what was. The papers of MPTQ-ViT and AIQViT were not
available to us.
"""

from __future__ import annotations

PUBLISHED_HEADINGS = ("method", "what", "numbers", "known from")
README, NOTE, ABSTRACT = "the authors' code, README", "reading notes of the paper", "abstract"
TABLES = "comparison tables of APHQ-ViT (CVPR 2025)"
BOX_MASK = "COCO, Mask R-CNN, box/mask AP"
TOP1 = "ImageNet, top-1"
PUBLISHED = (
    ("uniform only", f"{BOX_MASK}, Swin-T, W4A4", "34.6/34.2 (float 46.0/41.6)", TABLES),
    ("RepQ-ViT", f"{BOX_MASK}, Swin-T", "W4A4 36.1/36.0, W6A6 45.1/41.2 (float 46.0/41.6)", README),
    ("RepQ-ViT", f"{TOP1}, Swin-T", "W4A4 72.31, W6A6 80.69 (float 81.35); W4A4 73.0 in a rerun by others",
     f"{README}; Swin tables of GPLQ"),
    ("OFQ", f"{TOP1}, Swin-T, after training", "W4A4 81.88 (float 81.2)", README),
    ("OFQ", f"{BOX_MASK}, Swin-T, after training", "W4A4 box 43.1", "reading notes of MixA-Q, who trained it"),
    ("MPTQ-ViT", f"{TOP1}, gains over earlier methods", "0.90 to 23.35 points at 4 bits; 3.82 to 78.14 at 5 bits, "
     "mixed, fully quantized; no table was readable", ABSTRACT),
    ("AIQViT", f"{BOX_MASK}", "Swin-S, Mask R-CNN, W4A4 44.1/40.4; Swin-T, Cascade, W6A6 50.2/43.6", NOTE),
    ("AIQViT", f"{TOP1}, W4A4", "DeiT-T 62.33, DeiT-S 72.75, DeiT-B 79.19; at a fixed rank of 20: 59.61, 69.73",
     NOTE),
    ("AIQViT", "ablation, points of top-1 at W4A4", "AILoC +10.80, without DFQ -11.93", NOTE),
)  # fmt: skip
"""(method, what, numbers, where they are known from)."""
