// The windows of one image by the bits they ran at, a stage at a time.
function showWindows(section, run) {
  if (run.windows === null) return section.append(missing(run.missing.windows));
  const found = run.windows;
  const rows = records(found);
  const stages = values(rows, "stage");
  const said = make("output", { for: "stage", id: "stage-text" });
  const map = makeSvg("svg", { class: "map", viewBox: `0 0 ${found.width_px} ${found.height_px}`, role: "img" });
  const slider = make("input", { type: "range", id: "stage", min: 0, max: stages.length - 1, step: 1, value: 0, input: () => show() });

  function show() {
    const stage = stages[Number(slider.value)];
    const part = rows.filter((row) => row.stage === stage);
    const text = `stage ${stage}: ${part.filter((row) => row.low).length} of ${part.length} windows low`;
    said.textContent = text;
    slider.setAttribute("aria-valuetext", text);
    map.setAttribute("aria-label", `${found.image}, ${text}`);
    const picture = found.picture === null ? [] : [makeSvg("image", { href: found.picture, width: found.width_px, height: found.height_px })];
    map.replaceChildren(...picture, ...part.map((row) => windowOf(row, picture.length > 0)), ...part.filter((row) => row.low).map(strokeOf));
  }

  section.append(
    make("p", { class: "quiet" }, `Image ${found.image}, ${found.width_px} x ${found.height_px} px; regular grid of each stage's first block.`),
    make("div", { class: "controls" }, make("label", {}, "Stage (arrow keys)", slider), said), map,
    make("ul", { class: "key" }, ...values(rows, "bits").reverse().map((bits) => make("li", {}, make("i", { style: `background:${rows.some((row) => row.low && row.bits === bits) ? STROKE : ""}${tint(bits)}` }), bits ? `${bits}-bit activations` : "pruned"))));
  show();
}

function windowOf(row, onPicture) {
  const attributes = { x: row.x_px, y: row.y_px, width: row.width_px, height: row.height_px, fill: tint(row.bits), "fill-opacity": onPicture ? 0.35 : 0.8, stroke: "#fff", "stroke-width": 0.6 };
  const text = row.bits ? `${row.bits} bits` : "pruned";
  return makeSvg("rect", { ...attributes, "data-bits": row.bits }, makeSvg("title", {}, `window ${row.window}: ${text}`));
}

// Low windows carry a stroke, so that they stay apart in grey print too; the same in the key.
const STROKE = "linear-gradient(to bottom right, transparent 44%, #fff 44%, #fff 56%, transparent 56%) ";

function strokeOf(row) {
  return makeSvg("path", { d: `M${row.x_px} ${row.y_px + row.height_px} L${row.x_px + row.width_px} ${row.y_px}`, stroke: "#fff", "stroke-width": 0.8, "pointer-events": "none" });
}

function tint(bits) {
  return DATA.colours.tints[bits] ?? DATA.colours.series[2];
}
