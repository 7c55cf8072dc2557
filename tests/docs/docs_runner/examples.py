"""The examples of `--help`, as they are run: most as they stand, long ones in a shortened form."""

from __future__ import annotations

from docs_runner.steps import Action, Step
from mixarray_analysis.cli.examples import commands_of
from mixarray_analysis.cli.reference import every_command

SIZE = "--n 2 --size 224"
SEARCH = f"--population 4 --generations 1 --evaluations 4 --final-n 2 {SIZE}"
PREPARED = """bash "$REPOSITORY/tests/docs/scenes/runs.sh"
mkdir imagenet_files; cd imagenet_files; python "$REPOSITORY/tests/docs/scenes/own_model.py"; cd ..
mv imagenet_files/imagenet imagenet; mv imagenet_files/swin_tiny_patch4_window7_224.pth swin_t.pth
python -c "from PIL import Image; Image.radial_gradient('L').resize((448, 448)).convert('RGB').save('photo.jpg')"
mixarray accelerators new my_array --from packed_w4_32x32
cp "$REPOSITORY/tests/golden/scalesim/scalesim_3.0.0_is_16x8_conv.topology.csv" T.csv
cp "$REPOSITORY/tests/golden/scalesim/scalesim_3.0.0_is_16x8_conv.cfg" C.cfg"""
"""What the examples find, under the names that they use."""

SHORT = {
    "mixarray demo": "mixarray demo --n 2 --jobs 1",
    "mixarray train -o runs/trained": "mixarray train --images-112 64 --images-224 0 -o runs/trained",
    "mixarray train --resume -o runs/trained": "mixarray train --images-112 64 --images-224 0 --resume -o runs/trained",
    "mixarray qat uniform -o runs/ofq": "mixarray qat uniform --images 16 --batch 8 -o runs/ofq",
    "mixarray qat saqa --model runs/ofq/model -o runs/saqa":
        "mixarray qat saqa --images 16 --batch 8 --model runs/ofq/model -o runs/saqa",
    "mixarray quantize -o runs/quantized": "mixarray quantize --n 2 --size 112 -o runs/quantized",
    "mixarray quantize --method repq_vit -o runs/repq":
        "mixarray quantize --method repq_vit --n 2 --size 112 -o runs/repq",
    "mixarray quantize --checkpoint swin_t.pth --data imagenet/train -o runs/own":
        "mixarray quantize --checkpoint swin_t.pth --data imagenet/train --n 2 --size 64 -o runs/own",
    "mixarray evaluate --ratios 0,0.4,0.8": f"mixarray evaluate --ratios 0,0.4,0.8 {SIZE}",
    "mixarray evaluate --ratios 0.4 --pruning 0.2 --n 500 -o accuracy.csv":
        f"mixarray evaluate --ratios 0.4 --pruning 0.2 {SIZE} -o accuracy.csv",
    "mixarray record --model swin_t --input 800x1333 --weights random --score random --ratio 0.4 -o runs/swin_t":
        "mixarray record --model swin_t --input 224x224 --weights random --score random --ratio 0.4 --force "
        "-o runs/swin_t",
    "mixarray simulate runs/bundle -o runs/simulated --timeline":
        "mixarray simulate runs/bundle -o runs/simulated --timeline --force",
    "mixarray run --ratio 0.4 -o runs/one": f"mixarray run --ratio 0.4 {SIZE} --jobs 1 -o runs/one",
    "mixarray run --ratio 0.2/0.4/0.4,0.6,0.8 --pruning 0.1 -a packed_w4_32x32 -o runs/pairs":
        "mixarray run --ratio 0.2/0.4/0.4,0.6,0.8 --pruning 0.1 -a packed_w4_32x32 --n 0 --size 224 --jobs 1 "
        "-o runs/pairs",
    "mixarray sweep SPEC.yaml -o runs/sweep": "mixarray sweep SPEC.yaml --jobs 1 -o runs/sweep",
    "mixarray sweep --ratios 0:0.8:0.4 -a packed_w4_32x32 -o runs/quick":
        "mixarray sweep --ratios 0:0.8:0.4 -a packed_w4_32x32 --n 0 --recorded 1 --size 224 --jobs 1 -o runs/quick",
    "mixarray accelerators new my_array --from packed_w4_32x32":
        "mixarray accelerators new my_array --from packed_w4_32x32 --force",
    "mixarray validate": "mixarray validate array_closed_form --cases 20",
    "mixarray validate rtl --mutants": "mixarray validate array_closed_form --cases 20 --mutants",
    "mixarray study rankings": f"mixarray study rankings {SIZE}",
    "mixarray study rankings --ratios 0.6 --rankings true,random -o rankings.csv":
        f"mixarray study rankings --ratios 0.6 --rankings true,random {SIZE} -o rankings.csv",
    "mixarray study sqnr --ratio 0.4": f"mixarray study sqnr --ratio 0.4 {SIZE}",
    "mixarray search --objective cycles -a packed_w4_32x32 -o runs/cycles_0":
        f"mixarray search --objective cycles -a packed_w4_32x32 {SEARCH} -o runs/cycles_0",
    "mixarray search --resume runs/cycles_0":
        "mixarray search --resume runs/cycles_0 --generations 2 --evaluations 6 --final-n 2",
    "mixarray search compare runs/bops_* runs/cycles_* -o runs/compared":
        f"mixarray search --objective bops {SEARCH} -o runs/bops_0\n"
        "mixarray search --resume runs/bops_0 --generations 2 --evaluations 6 --final-n 2\n"
        "mixarray search compare runs/bops_* runs/cycles_* -o runs/compared",
    "mixarray search enumerate -a packed_w4_32x32 -o runs/space":
        "mixarray search enumerate --size 224 --population 4 --generations 1 --seeds 1 --jobs 1 -o runs/space",
}  # fmt: skip
"""Example to what is run in its place; the same in few seconds."""


def example_steps() -> list[Step]:
    """What the examples need, then every example once, in the order of the commands."""
    prepared = Step("examples", Action.SHELL, PREPARED)
    lines = dict.fromkeys(line for one in every_command() for line in commands_of(one.epilog))
    return [prepared, *(Step(line, Action.SHELL, SHORT.get(line, line)) for line in lines)]


def idle_forms() -> set[str]:
    """Shortened forms of what is no example any more."""
    return set(SHORT) - {line for one in every_command() for line in commands_of(one.epilog)}
