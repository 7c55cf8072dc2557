"""Fail unless the wheel holds exactly our three top-level packages, with configs, model and data inside."""

import sys
import zipfile

EXPECTED = {"mixarray", "mixarray_traces", "mixarray_analysis"}
REQUIRED = (
    "mixarray/accelerator_configs/packed_w4_32x32.yaml",
    "mixarray/accelerator_configs/plain_int8_32x32.yaml",
    "mixarray/accelerator_configs/plain_int8_os_32x32.yaml",
    "mixarray_traces/shipped/detector.safetensors",
    "mixarray_analysis/rtl_sources/README.md",
    "mixarray_analysis/report/assets/page.html",
    "mixarray_analysis/report/assets/report.css",
    "mixarray_analysis/report/assets/main.js",
    "mixarray_analysis/validation/golden/scalesim_3.0.0_ws_32x32.csv",
)

names = zipfile.ZipFile(sys.argv[1]).namelist()
top = {name.split("/")[0] for name in names if not name.split("/")[0].endswith(".dist-info")}
missing = [name for name in REQUIRED if name not in names]
missing += [] if any(name.endswith("licenses/DATA_LICENSES.md") for name in names) else ["DATA_LICENSES.md"]
if top != EXPECTED or missing:
    sys.exit(f"wheel: top-level names {sorted(top)}, expected {sorted(EXPECTED)}; missing {missing}")
print("wheel: top-level names", ", ".join(sorted(top)))
