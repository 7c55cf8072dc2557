"""The prose of the page: what was run, and how to read it. No measured number stands here."""

from __future__ import annotations

from mixarray_analysis.method_comparison.subjects import AVERAGE_BITS, INPUT_PX, MACHINES

MARK = "<!-- Written by `make comparison`; edit mixarray_analysis/method_comparison, not this file. -->"
TITLE = """# Methods compared

Five ways to quantize the same detector, at the same bits, on the same two accelerators: what each is worth in AP50 and
what it costs in bit operations, cycles, time and energy. **The model is the shipped one**, a detector with a small Swin
backbone on canvases drawn at 448 px from the test split; neither COCO nor ImageNet. The papers of MPTQ-ViT and AIQViT
have no public code and their formulas are known only in part: what bears their names here is *inspired by* them
([MPTQ-ViT](mptq_vit.md), [AIQViT](aiqvit.md)) and says nothing about how good the published methods are."""
RULE = f"""## How to read the tables

Every model has one precision in all windows, ratio 0: nothing here is MixA-Q, whose two branches are compared on
[another page](reproduction.md). W4A8: weights of the blocks at 4 bits, activations at 8. W4A4 and W6A6 are run in the
same way for every method: the high branch has 4 or 6 bits, and all windows take it (the low branch, which none takes,
has 3 or 4). Patch embedding, merging and head have 8 bits throughout. *Mixed {AVERAGE_BITS}*: `mixarray allocate
--objective bits` lowers weights and activations of single layers from 8 bits to {AVERAGE_BITS} on average, every layer
counting once, with each method's own quantizers ([mixed precision](mixed_precision.md)); AIQViT takes the bits found
for RepQ-ViT, whose quantizers it begins with. The greedy measured its losses on canvases of the same split, of another
stream than those of AP50.

*AP50*: 0 to 1, with the 95 % bootstrap interval over n canvases; *minus uniform affine*: paired, at the same bits, on
the same canvases. One calibration seed: no interval covers another draw of calibration images. *BOPs of W8A8*: of the
blocks, MACs times the bits of both operands, over the same at 8 and 8 bits. *Cycles*: the whole network at batch 1,
simulated from a recorded canvas, and in brackets over those of the same operators at W8A8; *packed* is
{MACHINES[0]}, *decoupled* {MACHINES[1]}. *µJ*: at nominal constants; `costs.csv` has the band. *Side*: share of the
run's cycles that belong to row sums, column sums and thin GEMMs on its critical chain; work hidden behind the array has
none."""
SIDE_ABOUT = """## Side work

What operators take that a product of symmetric codes would not need: row sums of activations (weights with offsets, or
attention operands with them), column sums of v (softmax codes with an offset, DFQ's included), the two thin GEMMs of a
side path with what lies between, and the conditional shifts of two-region codes, which take energy and no cycle. Cycles
are those on the critical chain, with their share of the run; energy is a share of the run's. A side path costs more
than its own operators, because the mapping lets the sums of its second product leave the chip until those of the layer
are there ([AIQViT](aiqvit.md)); the last two columns have all of it."""
ROUND_ABOUT = """## What rounding up costs

Both arrays have modes for 4 and 8 bits alone, so 5, 6 and 7 bits run at 8, and the decoupled arrays run a product of 4
and 8 bits at 8 and 8. Uniform affine, everything relative to W8A8 of the same operators:"""
SHAPE_ABOUT = f"""## Swin-T at {INPUT_PX} px, hardware alone

No weights, no accuracy: traces that bear each method's marks (encodings, offsets and the operators they ask for;
`mixarray record --method`), all windows high. Side paths have one rank beside every linear layer of the blocks, at 8
bits: 20, a rank that AIQViT's ablation uses, and 8, the largest that our search may choose for the shipped detector.
The ranks it found there are not used here: they were chosen among four, for layers a third as wide. Mixed
{AVERAGE_BITS}: bits of the shipped model's uniform affine allocation, by a rule: a layer takes those of the layer of
its name, and the fourth stage, which the shipped model lacks, those of the last two blocks of its third. No loss was
measured for it, so it says what such a pattern costs, not that it would be good; side paths are left out of it."""
PUBLISHED_ABOUT = """## Published numbers

Context only: other models, data and measures. Nothing in this table can be held against anything above."""
TIMES_ABOUT = """## Time to quantize

Processor seconds of the whole command `mixarray quantize`, start and data included, one thread, on a machine shared
with other work; the greedy for the mixed bits is not in them."""
VERSIONS_ABOUT = """## What made the numbers

Every `costs.csv` names the version, the revision, the hashes of trace and accelerator, and the energy tables."""
COMMANDS = """## Commands

`make comparison-runs` makes what is missing of the result files (hours on two cores; what exists is not run again),
`make comparison` this page and its figure from the files in [methods/results](methods/results) (seconds).

<!-- run: python -m mixarray_analysis.method_comparison run --list
python -m mixarray_analysis.method_comparison run --only repq_vit_w4a4 --n 50 --work DIR --list -->

    python -m mixarray_analysis.method_comparison run --list                  # every command
    python -m mixarray_analysis.method_comparison run --only repq_vit_w4a4    # one model's
    python -m mixarray_analysis.method_comparison run --n 50                  # fewer canvases than 500
    python -m mixarray_analysis.method_comparison run --work DIR              # models and bundles lie there"""
