// The headline of a run, its totals, the sentences of its explanation, and runs side by side.
const CARDS = [
  ["cycles", "cycles", ""],
  ["latency_ms", "latency", " ms"],
  ["energy_uj", "energy", " µJ"],
  ["edp_uj_ms", "energy x delay", " µJ·ms"],
  ["tops_per_watt", "TOPS/W", ""],
  ["utilization", "utilisation", "%"],
  ["peak_mac_utilization", "of peak MACs", "%"],
  ["area_mm2", "area", " mm²"],
  ["dram_read_bits", "read from DRAM", "MiB"],
  ["dram_write_bits", "written to DRAM", "MiB"],
];

function showSummary(section, run) {
  const { totals, speedup } = run.run;
  section.append(make("p", { class: "quiet" }, run.name), make("p", { class: "headline" }, run.headline));
  const cards = CARDS.map(([name, text, unit]) => card(amount(totals[name], unit), text, band(totals, name), DATA.glossary.totals[name]));
  if (speedup !== null) {
    const help = DATA.glossary.speedups;
    cards.unshift(card(`${speedup.simulated.toFixed(3)}x`, "simulated speedup", `over ${speedup.baseline.split(":")[0]}`, help.simulated),
      card(`${speedup.bops_blocks.toFixed(3)}x`, "promised by BOPs", "blocks, as published", help.bops_blocks),
      card(`${speedup.gemms.toFixed(3)}x`, "GEMMs alone", "cycles that rows stream through the arrays", help.gemms));
  }
  section.append(make("div", { class: "cards" }, ...cards));
  if (run.waterfall !== null) {
    const repeats = speedup !== null && run.waterfall.against === speedup.baseline ? 1 : 0; // the headline says it already
    section.append(...run.waterfall.sentences.slice(repeats).map((sentence) => make("p", {}, sentence)));
  }
  if (run.run.widened.length) section.append(make("p", { class: "quiet" }, `Ran in a wider mode: ${run.run.widened.join(", ")}. ` +
    "The arrays have no mode as narrow as these operands: no gain from these bits but fewer bits to move."));
}

function showSweepSummary(section, sweep) {
  const { cards, sentences, note, headings: names, texts, groups } = sweep.summary;
  const columns = headings(names, texts).map((column) => ({ ...column, fold: column.text === "best in" }));
  const rows = groups.flatMap(([machine, found]) => [machine, ...found]);
  section.append(make("p", { class: "quiet" }, sweep.name), make("p", { class: "headline" }, sweep.headline),
    make("div", { class: "cards" }, ...cards.map(([value, what, more]) => card(value, what, more))),
    ...sentences.map((sentence) => make("p", {}, sentence)),
    make("p", { class: "quiet" }, note), plainTable(columns, rows, `points of ${sweep.name}`));
}

function card(value, text, note, help) {
  return make("div", { class: "card", title: help ?? null }, make("b", {}, value), text, make("span", {}, note));
}

function amount(value, unit) {
  if (value === null) return "–";
  if (unit === "%") return percent(value);
  if (unit === "MiB") return `${number(value / 8 / 2 ** 20)} MiB`;
  return number(value) + unit;
}

// `low to high` of a total that has ends.
function band(totals, name) {
  const ends = ["low", "high"].map((end) => totals[name.replace(/^([a-z]+)/, `$1_${end}`)] ?? totals[`${name}_${end}`]);
  return ends.every((end) => end !== undefined && end !== null) ? ends.map(number).join(" to ") : "";
}

function showComparison(section, comparison) {
  for (const [table, left] of [[comparison.time, 2], [comparison.cost, 1]]) {
    section.append(plainTable(headings(table.headings, left), table.rows, "runs"), make("p"));
  }
  const element = figure("Energy per image of every run, with its band");
  section.append(element, make("p", { class: "quiet" }, "Bars: energy per image; lines: every constant at its low and at its high end."));
  chart(element, (colours) => energyBars(colours));
  for (const pair of comparison.pairs) {
    section.append(make("p", {}, pair.sentence));
    if (!pair.rows.length) continue;
    const table = plainTable(headings(pair.headings), pair.rows, `${pair.first} and ${pair.second}`);
    section.append(make("details", {}, make("summary", {}, `${pair.first} (first) and ${pair.second} (second)`), table));
  }
}

function energyBars(colours) {
  const totals = DATA.runs.map((run) => run.run.totals);
  const values = totals.map((one) => one.energy_uj);
  const error_x = {
    type: "data", symmetric: false, color: colours.text, thickness: 1.2,
    array: totals.map((one) => one.energy_high_uj - one.energy_uj), arrayminus: totals.map((one) => one.energy_uj - one.energy_low_uj),
  };
  const names = DATA.runs.map((run, place) => `${place + 1}: ${plain(shorten(run.name))}`);
  return {
    traces: [{ type: "bar", orientation: "h", x: values, y: names, error_x, marker: { color: seriesColour(0, colours) } }],
    layout: { height: 90 + 44 * names.length, yaxis: { autorange: "reversed", type: "category" }, xaxis: { title: { text: "energy per image (µJ)" }, rangemode: "tozero" } },
  };
}

// The end of a long name.
function shorten(name, most = narrow() ? 16 : 40) {
  return name.length > most ? `…${name.slice(1 - most)}` : name;
}
