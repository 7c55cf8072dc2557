"""The page `docs/reproduction.md`: claims with verdicts, everything measured behind them, and what was not tried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mixarray_analysis.reproduction.budgets import BUDGET_HEADINGS, budget_rows, budget_sentence, shorter_beside
from mixarray_analysis.reproduction.cells import CLAIM_HEADINGS, claim_row
from mixarray_analysis.reproduction.claims import NOT_TRIED, Claim, ptq_claims, qat_claims
from mixarray_analysis.reproduction.figures import Figures
from mixarray_analysis.reproduction.measured_tables import (
    PRUNED_HEADINGS,
    PUBLISHED_SQNR,
    QAT_HEADINGS,
    RANKING_HEADINGS,
    SETTING_HEADINGS,
    SQNR_HEADINGS,
    STEP_HEADINGS,
    TRAINING_HEADINGS,
    pruned_rows,
    ranking_rows,
    setting_rows,
    sqnr_rows,
    step_rows,
    trained_rows,
    training_rows,
)
from mixarray_analysis.reproduction.results import Results
from mixarray_analysis.reproduction.runs import EXPLAINED, PAPERS_SCORE, PTQ_MODELS, SEARCH_BUDGET
from mixarray_analysis.reproduction.search_tables import (
    COMPARED_HEADINGS,
    SEARCH_HEADINGS,
    SPACE_HEADINGS,
    compared_rows,
    searched_row,
    space_rows,
)
from mixarray_analysis.reproduction.sentences import (
    gain_sentence,
    hardware_sentence,
    search_time_sentence,
    verdicts_sentence,
)
from mixarray_analysis.validation.page_markdown import bullets, paragraphs, table

MARK = "<!-- Written by `make reproduction`; edit mixarray_analysis/reproduction, not this file. -->"
TITLE = """# Reproduction

What MixA-Q's paper claims, beside what the shipped model shows. **This is not COCO and not Swin-T**: ours is a
detector with a small Swin backbone (5 block pairs, 3 stages) on canvases drawn at 448 px from the test split, AP50
between 0 and 1, and the paper's is Mask R-CNN with Swin-T, box mAP between 0 and 100. Only signs and orders can be
compared, never sizes. A claim that is not seen here is not refuted, and one that is seen is not confirmed for COCO."""
RULE = """## How to read the tables

*Published*: as the abstract of MixA-Q says, or as reading notes quote its tables; we had neither the paper's text nor
its code. *Cost*: bit operations of the blocks relative to ratio 0, as MixA-Q counts them, on both sides, from the
rows that ran. *Difference*: AP50 of the first minus AP50 of the second, with the 95 % bootstrap interval over the n
canvases; both ran on the same canvases, and the interval is paired. Where models were trained, it is the mean over
seeds; the interval comes from the canvases alone, so trainings do not vary in it: how much they do say the least and
the most of the seeds beside it.

The verdict is computed, by one rule: *seen* where the interval and every seed lie above 0; *opposite* where the
interval and every seed lie below 0; *within noise* otherwise. A claim of no loss is borne out by "seen" and
contradicted by "opposite"; "within noise" leaves open a loss as large as stated. There is no
correction for the number of claims: of twenty without any effect, one would be expected outside its interval."""
DIFFERS = (
    "The paper searches one ratio per block pair; here all pairs have the same ratio, so ours are no best settings. "
    "Searched fronts of this model stand below.",
    "PTQ is shown on two models, the shipped one (uniform affine) and RepQ-ViT, the paper's method, both W4A8 with a "
    "W4A4 branch.",
    f"Windows are ranked by our default score ([importance](importance.md)), not by that of the paper's code, "
    f"`{PAPERS_SCORE}`, which is near chance in our first stage; a table below has both.",
    "Training runs on canvases of 112 px, where the last stage has one window: nothing to rank, and no shift. "
    "Everything is measured on 448 px.",
    "Trainings are short, and models still gain from longer ones (`uniform` against `control`); "
    "verdicts on what is lost may turn again with more. [What the budget changes](#what-the-budget-changes) stands "
    "below.",
    "After training, pruning alone runs on a model adapted as SparseViT does it, with SAQA's recipe, canvases and "
    "budget, and on one trained with both low and pruned windows ([`joint`](qat.md)), which both together run on, too; "
    "whether the paper's is, is not said. SparseViT's last training, 36 epochs at the ratios it found after 12 of "
    "adaptation, is not repeated.",
    "Each training draws its own ratios: on average SAQA runs 40 % of the windows low, `joint` 20 % low and prunes "
    "20 %, SparseViT's adaptation prunes 50 %, and often the last stage whole, which has one window at 112 px. The "
    "adapted model is worse than the other W4A4 ones with nothing pruned; what each setting loses from there stands in "
    "a table.",
    "Whole windows round: the counted shares and costs in the tables differ a little from the nominal ones.",
)


def _words(options: Sequence[str]) -> str:
    """`population 16, generations 9`."""
    return ", ".join(
        f"{name.removeprefix('--')} {value}" for name, value in zip(options[::2], options[1::2], strict=True)
    )


MODEL_WORDS = {"shipped": "the shipped model (uniform affine, W4A8 and W4A4)", "repq_vit": "RepQ-ViT, W4A8 and W4A4"}
QAT_ABOUT = """Trained from the shipped float weights with the recipe of [qat](qat.md) but for the batch; canvases and
batch stand in the table; the paper's are not known. `control` is uniform QAT that went on for as long as SAQA,
on the same canvases; so did SparseViT's adaptation and `joint`, SAQA with pruned windows besides. Nothing of equal
budget stands beside annealing. Minutes are those of one thread on a shared machine."""
SETTINGS_ABOUT = """Every setting of this model; costs relative to ratio 0. BOPs are those of the blocks (of fewer bits
everywhere: their share of 8), cycles those of the whole network, simulated from one recorded canvas. These machines
run A7, A6 and A5 as A8: what such models save of the cycles, they save in memory traffic."""
RANKINGS_ABOUT = """What the ranking is worth: our score, chance, the oracle (windows that overlap a true box first) and
our score upside down at equal ratios, then the paper's score and its reverse. Differences are to the ranking by that
score at the same ratio."""
SQNR_ABOUT = f"""**SQNR per stage before and after SAQA.** Published (ablation, quoted): {PUBLISHED_SQNR}: the early
stages lose a little, the late ones gain. Against what, and over which windows, is not said; ours is against the float
network, the mean over windows of both branches at 40 % low, and the model before SAQA has a low branch made from its
high one. No interval: read the range over seeds."""
BUDGETS_ABOUT = """The claims about trained models once more, after the trainings above and after shorter ones of the
same recipe, batch and seeds, on the same canvases; what is to be said of a claim stands with it above. *With* names
the first model of either side; *change* is paired, as the differences are. First the shorter trainings; they lie in
[reproduction/shorter](reproduction/shorter), and no other table or figure of this page uses them."""
STEPS_ABOUT = f"""At {EXPLAINED / 10:g} % low, from the published count to simulated cycles: `mixarray explain` turns
the effects of a machine on one by one, and the table has the speedup over ratio 0 that is left behind each
([what the steps are](waterfall.md)). The first row is the claim, the last one what the network does. `ofq_start` is
untrained, with the shapes and bits of the trained models."""
SEARCH_ABOUT = f"""The settings above are the same in every block pair; the paper's are searched. Three searches of the
shipped model on BOPs ({_words(SEARCH_BUDGET)}; no pruning): of each the
setting that looked best on its own 64 canvases among those at 1.35x and above, measured on other canvases. Its
interval takes the two AP50 as independent, so it is wider than a paired one."""
COMPARED_ABOUT = """**BOPs against hardware.** [The fronts](search.md) searched on BOPs and on simulated cycles, both
simulated, on the same 500 canvases that no search saw. No paper claims anything about them. "Equal accuracy" is equal
within noise, as intervals of AP50 are wider than what lies between two fronts: believe what all seeds say."""
SPACE_ABOUT = """**How close such a search comes.** Where every setting's cost is known, the true front is too; AP50
cannot be measured everywhere, so the bit operations that a setting keeps stand for it ([how](search.md)). Means over
searches of the same budget with five seeds, in brackets the least and the most."""
COMMANDS = """`make reproduction-runs` makes what is missing of the result files (a day of one core; what
exists is not run again, trainings and searches go on where they were stopped), `make reproduction` this page and its
figures from the files in [reproduction/results](reproduction/results) (seconds).

<!-- run: python -m mixarray_analysis.reproduction run --list
python -m mixarray_analysis.reproduction run --only repq_vit --n 100 --work DIR --list -->

    python -m mixarray_analysis.reproduction run --list              # every command
    python -m mixarray_analysis.reproduction run --only repq_vit     # one model's
    python -m mixarray_analysis.reproduction run --n 100             # fewer canvases than 500
    python -m mixarray_analysis.reproduction run --work DIR          # models, bundles and searches lie there

Trainings of another budget are refused among those that exist; `--images 32000 --docs DIR --work DIR` gives them a
place of their own (results below `DIR/reproduction/results`), and `--only` names which. Those in
[reproduction/shorter](reproduction/shorter) are the results of `--images 32000`.

`*.resamples.csv` hold AP50 in 1000 resamples of the canvases, equal ones in every file; differences line by line give
the paired intervals. Models, bundles and searches themselves are not committed."""


def page_text(results: Results, figures: Figures) -> str:
    """The whole page from the result files; `figures` are those that were drawn."""
    parts = [
        MARK,
        TITLE,
        RULE,
        verdicts_sentence(results),
        "What differs from the paper beside the data:",
        bullets(DIFFERS),
    ]
    for model in PTQ_MODELS:
        parts += [f"## PTQ: {MODEL_WORDS[model]}", _claims(ptq_claims(model), results), SETTINGS_ABOUT]
        parts += [table(SETTING_HEADINGS, setting_rows(model, results)), RANKINGS_ABOUT]
        parts += [table(RANKING_HEADINGS, ranking_rows(model, results))]
    parts += [_figure("ptq", figures), "## QAT: OFQ and SAQA, W4A4 and W4A2", QAT_ABOUT]
    parts += [table(TRAINING_HEADINGS, training_rows(results)), _claims(qat_claims(), results)]
    parts += [SQNR_ABOUT, table(SQNR_HEADINGS, sqnr_rows(results)), "Every setting of the SAQA models:"]
    parts += [table(QAT_HEADINGS, trained_rows(results)), hardware_sentence(results)]
    parts += ["Every setting of the models whose training pruned, one seed each:"]
    parts += [table(PRUNED_HEADINGS, pruned_rows(results)), _figure("qat", figures)]
    parts += ["## What the budget changes", BUDGETS_ABOUT]
    parts += [table(TRAINING_HEADINGS, training_rows(shorter_beside(results)))]
    parts += [table(BUDGET_HEADINGS, budget_rows(results)), budget_sentence(results)]
    parts += ["## Where the speedup went", STEPS_ABOUT, table(STEP_HEADINGS, step_rows(results))]
    parts += ["## Searched ratios", SEARCH_ABOUT, table(SEARCH_HEADINGS, [searched_row(results)])]
    parts += [COMPARED_ABOUT, table(COMPARED_HEADINGS, compared_rows(results)), gain_sentence(results)]
    parts += [_figure("fronts", figures)]
    parts += [search_time_sentence(results), SPACE_ABOUT, table(SPACE_HEADINGS, space_rows(results))]
    parts += ["## Claims not tried", table(("claim", "source", "why not"), NOT_TRIED), "## Commands", COMMANDS]
    return paragraphs(*(part for part in parts if part)) + "\n"


def _claims(claims: Iterable[Claim], results: Results) -> str:
    return table(CLAIM_HEADINGS, (claim_row(claim, results) for claim in claims))


def _figure(name: str, figures: Figures) -> str:
    """The picture with its caption; nothing where what it shows was not measured."""
    caption = figures.get(name)
    return "" if caption is None else f"![{caption}](reproduction/{name}.png)\n\n*{caption}*"
